// What `doctor` reports: its sentences, and its part of the JSON document.
// Change it to word a finding otherwise, or to decide otherwise what has to be done at once.
import { Failure } from "../command-line/failure.ts";
import type { Report } from "../command-line/report.ts";
import { quoted } from "../command-line/wording.ts";
import type { Drift } from "../project/dependency-ranges.ts";
import type { MissingFix } from "../project/security-fixes.ts";
import type { UnsafeSetting } from "../project/unsafe-settings.ts";
import type { Project } from "./project.ts";

export interface Findings {
  edited: string[];
  missing: string[];
  dependencies: Drift[];
  fixes: MissingFix[];
  settings: UnsafeSetting[];
}

/** Throws when there is a finding that has to be done: a security fix, an unsafe setting, an update half way. */
export function reportFindings(report: Report, project: Project, version: string, findings: Findings): void {
  const { record, directory } = project;
  const { edited, missing, dependencies, fixes, settings } = findings;
  const pending = record.pending?.conflicts;
  report.set({ directory, from: record.version, version, pending: pending ?? null, ...findings });

  const name = quoted(record.answers.name);
  report.say(
    record.version === version
      ? `${name} is of version ${version}.`
      : `${name} is of version ${record.version}; this is ${version}.`,
  );
  listed(report, "You have edited", edited);
  listed(report, "You have deleted", missing);
  const drifts = dependencies.map(
    ({ name, yours, ours }) => `${name}: ${yours ?? "missing"}, this version has ${ours}`,
  );
  listed(report, "In package.json, older than in this version or missing", drifts);
  if (pending)
    listed(report, `The update to ${record.pending?.version} is not finished. Its conflicts were in`, pending);
  for (const { id, title, since, fixes: text, files } of fixes) {
    report.say(
      `\n${report.paint("red", id)} ${title}\n  ${text}\n  Fixed since ${since}; seen in ${files.join(", ")}.`,
    );
  }
  for (const { name, value, file, consequence } of settings) {
    report.say(`\n${report.paint("red", `${name}=${value}`)} in ${file}\n  ${consequence}`);
  }
  const todo = whatToDo(findings, pending !== undefined);
  if (todo.length > 0) throw new Failure(1, "TO_DO", todo.join("\n"), { todo });
  report.succeed("Nothing has to be done.");
}

function whatToDo({ fixes, settings }: Findings, isPending: boolean): string[] {
  const todo: string[] = [];
  if (isPending) todo.push("Settle the conflicts, then: npm create session-app@latest update -- --continue");
  const count = fixes.length === 1 ? "1 security fix is" : `${fixes.length} security fixes are`;
  if (fixes.length > 0) todo.push(`${count} not taken: npm create session-app@latest update`);
  if (settings.length > 0)
    todo.push(`Unsafe in production: ${settings.map(({ name, file }) => `${name} in ${file}`).join(", ")}.`);
  return todo;
}

function listed(report: Report, title: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  report.say(`\n${title}:`);
  for (const line of lines) report.say(`  ${line}`);
}
