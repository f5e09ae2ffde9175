// What `add` reports: its sentences, and its part of the JSON document.
// Change it to word a message otherwise.
import { habitsOf } from "../app/edits.ts";
import type { NoPlace } from "../app/place.ts";
import type { SessionUse } from "../app/predecessor.ts";
import type { Wiring } from "../app/wire.ts";
import { linesToPaste, usesImport } from "../app/wire.ts";
import { Failure } from "../command-line/failure.ts";
import type { Report } from "../command-line/report.ts";
import { quoted } from "../command-line/wording.ts";
import type { NewFile } from "../disk/changes.ts";
import type { AddRules, Predecessor } from "../packs/catalog.ts";
import { hasTool } from "../project/added.ts";
import type { Choice } from "../project/choice.ts";
import { isTooOld, NEEDED_NODE } from "../project/node-version.ts";
import { commands } from "../project/package-manager.ts";
import { RECORD } from "../project/record.ts";
import { unifiedDiff } from "../project/unified-diff.ts";
import type { ExistingApp } from "./existing-app.ts";

/** One of the two; neither, where sessions are mounted already. */
export interface MainFile {
  wired:
    | { path: string; line: number; text: string; replaces: string | undefined; lost: string | undefined }
    | undefined;
  paste: { why: string; file: string; line: number | undefined; imports: string[]; statements: string[] } | undefined;
}

export interface Addition {
  app: ExistingApp;
  choice: Choice;
  version: string;
  changes: ReadonlyMap<string, NewFile>;
  /** Those of the changed files that were there before. */
  before: ReadonlyMap<string, Uint8Array>;
  main: MainFile;
  /** Another session package that the app has. */
  predecessor: Predecessor | undefined;
  /** Each use of its sessions. */
  uses: readonly SessionUse[];
  /** Whole sentences. */
  notes: readonly string[];
}

export function isThere(): MainFile {
  return { wired: undefined, paste: undefined };
}

export function toPaste({ why, file, line }: NoPlace, app: ExistingApp, rules: AddRules, wiring: Wiring): MainFile {
  const there = app.files.find(({ path }) => path === file);
  const path = file ?? "the file that makes the app";
  const habits = there ? habitsOf(there.text, there.program) : { quote: '"', semicolon: ";" };
  const isModule = there ? usesImport(there) : app.manifest.type === "module" || app.compiler !== undefined;
  return { wired: undefined, paste: { why, file: path, line, ...linesToPaste(path, isModule, rules, wiring, habits) } };
}

export function inTheWay(paths: readonly string[], directory: string): Failure {
  const count = paths.length === 1 ? "1 path is" : `${paths.length} paths are`;
  const listed = paths.map((path) => `\n  ${path}`).join("");
  const message = `${count} in the way in ${quoted(directory)}:${listed}\nMove or rename what is there, and add sessions then.`;
  return new Failure(1, "COLLISION", message, { paths });
}

export function decided(report: Report, addition: Addition): void {
  const { app, choice, version, changes, main, predecessor, uses, notes } = addition;
  const { framework, backend, packageManager, workspaceMember, added } = choice;
  report.set({
    version,
    directory: app.directory,
    answers: {
      name: choice.name,
      framework: framework.id,
      backend: backend.id,
      packageManager,
      workspaceMember,
      added,
    },
    files: [...changes.keys()],
    wired: main.wired ? { file: main.wired.path, line: main.wired.line, replaces: main.wired.replaces ?? null } : null,
    paste: main.paste ?? null,
    predecessor: predecessor?.package ?? null,
    uses,
  });
  for (const note of notes) report.note(note);
  const range = Object(app.manifest.engines).node;
  const lowest = typeof range === "string" ? /\d+(\.\d+){0,2}/.exec(range)?.[0] : undefined;
  const admitted =
    lowest !== undefined && isTooOld(`${lowest}.0.0`) ? [`"engines" in package.json admits ${range}`] : [];
  const own = isTooOld(process.versions.node) ? [`this is ${process.versions.node}`] : [];
  const old = [...admitted, ...own];
  const [major = 0, minor = 0] = (app.compiler?.version ?? "").split(".").map(Number);
  if (major > 0 && (major < 5 || (major === 5 && minor < 7))) {
    report.note(`The added code needs TypeScript 5.7 or newer, and the app has ${app.compiler?.version}.`);
  }
  if (/\bts-node/.test(JSON.stringify(app.manifest.scripts ?? {})) && choice.added?.specifier !== "") {
    report.note("ts-node doesn't find the added files by their names; tsx does.");
  }
  if (old.length > 0) report.note(`The added code needs Node ${NEEDED_NODE} or newer, and ${old.join(", ")}.`);
}

export function difference(report: Report, { changes, before }: Addition): void {
  const diffs = [...changes]
    .filter(([path]) => path !== RECORD)
    .map(([path, { content }]) => unifiedDiff(path, before.get(path), content));
  report.set({ diff: diffs.join("\n") });
  for (const diff of diffs) report.say(diff);
}

/** With `check`, throws, as there is something to add. */
export function preview(report: Report, addition: Addition, check: boolean): void {
  report.say("A preview: nothing is written. Without the flag that asks for it:\n");
  describe(report, addition);
  for (const path of addition.changes.keys()) report.say(`  ${path}`);
  if (!check) {
    report.say(`${addition.changes.size} files. Nothing was written.`);
    return;
  }
  throw new Failure(1, "NOT_ADDED", "The app has no sessions yet. The same without --check adds them.");
}

export function written(report: Report, addition: Addition): void {
  report.set({ written: [...addition.changes.keys()] });
  describe(report, addition);
}

function describe(report: Report, addition: Addition): void {
  const { choice, main, before, changes, predecessor } = addition;
  const { framework, backend, added } = choice;
  const edited = [...before.keys()].filter((path) => path !== main.wired?.path);
  report.succeed(
    `Sessions for ${framework.label} with ${backend.label}: ${changes.size} files, most of them in ${added?.folder}/session and ${added?.folder}/store.`,
  );
  if (edited.length > 0) report.say(`  Merged into ${edited.join(", ")}.`);
  mounted(report, main, predecessor);
  taken(report, addition);
}

/** Reports what becomes of the other package's sessions, and of the code that uses them. */
function taken(report: Report, { app, choice, main, predecessor, uses }: Addition): void {
  const dependencies = { ...Object(app.manifest.devDependencies), ...Object(app.manifest.dependencies) };
  const others = choice.framework.add?.predecessor?.others.filter((name) => Object.hasOwn(dependencies, name)) ?? [];
  for (const name of others) report.note(`The sessions of ${name} can't be taken over: their users sign in again.`);
  if (predecessor === undefined) return;
  const { package: name } = predecessor;
  if (main.wired?.lost) report.note(`The live sessions of ${name} end: ${main.wired.lost}. Their users sign in again.`);
  report.say(
    `\n  Code written for ${name} keeps working: sessionView gives it the session in the form that it expects.`,
  );
  if (app.compiler) report.say("  The type-checker finds what has to be renamed.");
  if (main.wired?.replaces)
    report.say(`  The options of ${name} are settings here: see .env.example, SESSION_IDLE for its cookie's maxAge.`);
  if (uses.some(({ counterpart }) => counterpart.includes("signIn(id)"))) {
    report.say(
      `  Sessions don't know their user until you change the sign-in as listed below, or pass userOf to sessionView${main.wired?.lost ? "" : ` and ${predecessor.adopt}`}.`,
    );
  }
  if (uses.length === 0) return;
  report.say(`\n  Where the app uses the session of ${name}, and below each line what replaces it:\n`);
  for (const { file, line, code, counterpart } of uses) report.say(`  ${file}:${line}  ${code}\n      ${counterpart}`);
}

function mounted(report: Report, { wired, paste }: MainFile, predecessor: Predecessor | undefined): void {
  const where = wired?.replaces ? `in place of ${wired.replaces}` : "where the app is made";
  if (wired) report.say(`  Mounted in ${wired.path}, ${where} (line ${wired.line}).`);
  if (paste === undefined) return;
  const at = paste.line === undefined ? paste.file : `${paste.file}:${paste.line}`;
  report.note(`${paste.why} So you have to mount sessions yourself. Paste into ${at}:`);
  const place = predecessor
    ? `In place of the line that mounts ${predecessor.package}, with the options that it was given`
    : "After the line that creates the app, before its routes";
  report.say(`\n  At the top:\n\n${indented(paste.imports)}\n\n  ${place}:\n\n${indented(paste.statements)}\n`);
}

export function alreadyThere(report: Report, name: string, main: MainFile, predecessor: Predecessor | undefined): void {
  report.set({ files: [], paste: main.paste ?? null });
  report.succeed(`${quoted(name)} has sessions already. "update" brings them to this version.`);
  if (main.paste) mounted(report, main, predecessor);
}

export function finished(report: Report, { choice, app, main }: Addition, isInstalled: boolean): void {
  const { install, run, args } = commands[choice.packageManager];
  const { server, needsSettings } = choice.backend;
  const steps = [
    ...(isInstalled ? [] : [install]),
    ...(main.paste ? [`Paste the lines above into ${main.paste.file}.`] : []),
    ...(needsSettings
      ? [`Set the store's address in .env; .env.example shows how.${server ? ` It needs ${server.name}.` : ""}`]
      : []),
    `Use it in a handler: ${usage(choice)}`,
    ...(choice.added && hasTool(choice.added) && !choice.backend.inProcess
      ? [`Look at sessions: ${run} sessions${args} list`]
      : []),
  ];
  report.set({ next: steps });
  const kept = Object(app.manifest.scripts).sessions;
  if (kept !== undefined) report.note('Your script "sessions" stays as it is.');
  report.say(`\nNext:\n\n${indented(steps)}\n`);
}

function usage({ framework }: Choice): string {
  return framework.add?.usage ?? "";
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join("\n");
}
