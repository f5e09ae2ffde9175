// What `doctor` reports: its sentences, and its part of the JSON document.
// Change it to word a finding otherwise, or to decide otherwise what has to be done at once.
import { Failure } from "../command-line/failure.ts";
import type { Report } from "../command-line/report.ts";
import { quoted } from "../command-line/wording.ts";
import type { InstalledCopy } from "../disk/installed-packages.ts";
import type { Release } from "../project/changelog.ts";
import type { Choice } from "../project/choice.ts";
import type { Drift } from "../project/dependency-ranges.ts";
import { commands, initializerCommand } from "../project/package-manager.ts";
import type { MissingFix } from "../project/security-fixes.ts";
import type { UnsafeSetting } from "../project/unsafe-settings.ts";
import { unfinished } from "./merge-messages.ts";
import type { Project } from "./project.ts";

export interface Findings {
  edited: string[];
  missing: string[];
  dependencies: Drift[];
  /** Whether any of its dependencies is installed. */
  isInstalled: boolean;
  /** Dependencies of the project's package.json that are installed in an older version than it asks for, or not at all. */
  installed: { name: string; range: string; version: string | undefined }[];
  /** Packages of the framework of which there are several copies. */
  copies: { name: string; copies: InstalledCopy[] }[];
  fixes: MissingFix[];
  settings: UnsafeSetting[];
  /** What the store needs for the code that this version would bring. */
  schemaChanges: Release[];
}

/** Throws when there is a finding that has to be done: a security fix, an unsafe setting, an update half way. */
export function reportFindings(
  report: Report,
  project: Project,
  { backend, packageManager }: Choice,
  version: string,
  findings: Findings,
): void {
  const { record, directory } = project;
  const { edited, missing, dependencies, isInstalled, installed, copies, fixes, settings, schemaChanges } = findings;
  const { pending } = record;
  report.set({ directory, from: record.version, version, pending: pending?.conflicts ?? null, ...findings });

  const name = quoted(record.answers.name);
  report.say(
    record.version === version
      ? `${name} was made by version ${version}, which is this one.`
      : `${name} was made by version ${record.version}; this is ${version}.`,
  );
  listed(report, "You have edited", edited);
  listed(report, "You have deleted", missing);
  const drifts = dependencies.map(
    ({ name, yours, ours }) => `${name}: ${yours ?? "missing"}, this version has ${ours}`,
  );
  listed(report, "In package.json, older than in this version or missing", drifts);
  if (!isInstalled) {
    report.say(
      `\nNothing is installed here, so installed packages were not checked. To install: ${commands[packageManager].install}`,
    );
  }
  const absent = installed.map(
    ({ name, range, version }) => `${name}: ${version ?? "missing"}, package.json has ${range}`,
  );
  listed(report, "In node_modules, older than in package.json or missing", absent);
  for (const { name, copies: places } of copies) {
    const title = `${quoted(name)} is installed several times; middleware of one copy may not know the objects of another`;
    listed(
      report,
      title,
      places.map(({ version, path }) => `${version} in ${path}`),
    );
  }
  if (schemaChanges.length > 0) {
    const versions = schemaChanges.map(({ version }) => version).join(", ");
    const unseen = "Whether the store has them already can't be seen from here; the app checks that when it starts.";
    report.say(
      `\nThe schema of ${backend.label} has changed in ${versions}. An update shows the statements. ${unseen}`,
    );
  }
  if (pending)
    listed(report, `The ${unfinished(record, pending)} is not finished. Its conflicts were in`, pending.conflicts);
  for (const { id, title, since, fixes: text, files } of fixes) {
    report.say(
      `\n${report.paint("red", id)} ${title}\n  ${text}\n  Fixed since ${since}; seen in ${files.join(", ")}.`,
    );
  }
  for (const { name, value, file, consequence } of settings) {
    report.say(`\n${report.paint("red", `${name}=${value}`)} in ${file}\n  ${consequence}`);
  }
  const todo = whatToDo(findings, record.answers.packageManager, pending !== undefined);
  if (todo.length > 0) throw new Failure(1, "TO_DO", todo.join("\n"), { todo });
  report.succeed("Nothing has to be done.");
}

function whatToDo({ installed, fixes, settings }: Findings, manager: string, isPending: boolean): string[] {
  const todo: string[] = [];
  if (isPending) {
    todo.push(`Settle the conflicts, then: ${initializerCommand(manager, "latest", "update", "--continue")}`);
  }
  if (installed.length > 0) todo.push(`Not all that package.json asks for is installed: ${manager} install`);
  const count = fixes.length === 1 ? "1 security fix is" : `${fixes.length} security fixes are`;
  if (fixes.length > 0) todo.push(`${count} not taken: ${initializerCommand(manager, "latest", "update")}`);
  if (settings.length > 0)
    todo.push(`Unsafe in production: ${settings.map(({ name, file }) => `${name} in ${file}`).join(", ")}.`);
  return todo;
}

function listed(report: Report, title: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  report.say(`\n${title}:`);
  for (const line of lines) report.say(`  ${line}`);
}
