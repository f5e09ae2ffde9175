// What `update` and `switch` report: their sentences, and their part of the JSON document.
// Change it to word a message otherwise.
import { Failure } from "../command-line/failure.ts";
import type { Report } from "../command-line/report.ts";
import { quoted } from "../command-line/wording.ts";
import type { Release } from "../project/changelog.ts";
import type { Choice } from "../project/choice.ts";
import type { MergedFile, Outcome } from "../project/merge.ts";
import { BESIDE } from "../project/merge.ts";
import { commands, initializerCommand } from "../project/package-manager.ts";
import type { PendingUpdate, ProjectRecord } from "../project/read-record.ts";
import { RECORD } from "../project/record.ts";
import { unifiedDiff } from "../project/unified-diff.ts";
import type { ProjectMerge } from "./merge-project.ts";
import type { Project } from "./project.ts";

export interface MergeOutcome {
  project: Project;
  version: string;
  merge: ProjectMerge;
  /** What the changelog says since the project's version. */
  releases: Release[];
  /** What the store needs for the new code. */
  schemaChanges: Release[];
  /** What the store is called. */
  backend: string;
  /** What `switch` has switched to. */
  switched: Switched | undefined;
}

export interface Switched {
  framework: string;
  backend: string;
  /** What the user has to know now. */
  notes: string[];
}

/** @param before the choice that the project had */
export function switchedTo({ framework, backend, previous, added }: Choice, before: Choice): Switched {
  const notes: string[] = [];
  if (previous) {
    notes.push(
      `The code of ${previous.label} stays in src/previous-store until its sessions are copied: see docs/moving.md.`,
    );
  }
  if (backend.id !== before.backend.id) {
    if (before.backend.inProcess) notes.push("Sessions end with the app's process: users have to sign in again.");
    else if (!previous) {
      const copy = backend.inProcess || added ? "" : " With --keep-store they can be copied.";
      notes.push(`Sessions stay in the old store: users have to sign in again.${copy}`);
    }
    const needs =
      backend.server === null ? "" : ` It needs ${backend.server.name}, which ${quoted(backend.server.start)} starts.`;
    notes.push(
      `The settings of ${backend.label} are in .env.example; set them in .env and where the app runs.${needs}`,
    );
  }
  return { framework: framework.label, backend: backend.label, notes };
}

export const HALF_DONE = "An earlier run was killed half way; the next one that writes undoes it first.";

/** Describes what became of a file in a few words; undefined if it needs no mention. */
const WORDS: Record<Outcome, string | undefined> = {
  same: undefined,
  kept: undefined,
  taken: "new here",
  merged: "merged with your changes",
  conflict: "CONFLICT",
  removed: "removed: no longer generated",
  orphaned: "kept as you have it: no longer generated",
  "kept-deleted": undefined,
  restored: "restored",
};

export function decided(report: Report, { project, version, merge, releases }: MergeOutcome): void {
  report.set({
    directory: project.directory,
    from: project.record.version,
    version,
    files: merge.files.filter(({ outcome }) => outcome !== "same"),
    conflicts: merge.conflicts.map(({ path }) => path),
    leftAlone: merge.leftAlone,
    releases,
  });
  for (const path of merge.leftAlone) report.note(`${quoted(path)} is not a plain file, so it is left as it is.`);
}

export function difference(report: Report, { merge }: MergeOutcome): void {
  const diffs = [...merge.changes]
    .filter(([path]) => path !== RECORD)
    .map(([path, change]) =>
      unifiedDiff(path, merge.before.get(path), change === "remove" ? undefined : change.content),
    )
    .filter((diff) => diff !== "");
  report.set({ diff: diffs.join("\n") });
  for (const diff of diffs) report.say(diff);
}

/** With `check`, throws when there is something to take. */
export function preview(report: Report, outcome: MergeOutcome, check: boolean): void {
  const count = changedFiles(outcome).length;
  report.set({ changes: count });
  if (count === 0) {
    nothingToDo(report, outcome);
    return;
  }
  describe(report, outcome);
  if (!check) {
    report.say("Nothing was written.");
    return;
  }
  throw new Failure(1, "OUTDATED", `${files(count)} would change. The same without --check changes them.`);
}

export function nothingToDo(report: Report, { project, version, switched }: MergeOutcome): void {
  const state = switched
    ? `has ${switched.framework} with ${switched.backend} already`
    : `is up to date with ${version}`;
  report.succeed(`${quoted(project.record.answers.name)} ${state}.`);
}

export function written(report: Report, outcome: MergeOutcome, inGit: boolean): void {
  const { project, version, merge, switched } = outcome;
  report.set({ written: [...merge.changes.keys()] });
  const name = quoted(project.record.answers.name);
  const from = project.record.version === version ? "" : ` from ${project.record.version}`;
  const done = switched
    ? `Switched ${name} to ${switched.framework} with ${switched.backend}`
    : `Updated ${name}${from} to ${version}`;
  const { length } = merge.conflicts;
  if (length === 0) report.succeed(`${done}.`);
  else report.say(`${done}, except for ${files(length)} with conflicts.`);
  describe(report, outcome);
  for (const note of switched?.notes ?? []) report.note(note);
  if (!inGit) report.note("The project is in no git repository, so only a copy of yours can take this back.");
}

/** A conflict that is not settled yet. `beside`: where this version's content lies, if it can't be marked inside the file. */
export type Conflict = Pick<MergedFile, "path" | "beside">;

export function conflictsLeft({ record }: Project, version: string, conflicts: readonly Conflict[]): Failure {
  const paths = conflicts.map(({ path }) => path);
  const listed = conflicts.map(
    ({ path, beside }) => `\n  ${path}${beside === undefined ? "" : ` (this version's: ${beside})`}`,
  );
  const isMarked = conflicts.some(({ beside }) => beside === undefined);
  const isBeside = conflicts.some(({ beside }) => beside !== undefined);
  const steps = [
    ...(isMarked
      ? ['Keep what you want of the lines between "<<<<<<< yours" and ">>>>>>>", and delete these markers.']
      : []),
    ...(isBeside ? [`Take what you want from files that end in "${BESIDE}", and delete them.`] : []),
  ];
  const next = initializerCommand(record.answers.packageManager, version, "update", "--continue");
  const count = paths.length === 1 ? "1 file has" : `${paths.length} files have`;
  const message = `${count} conflicts:${listed.join("")}\n${steps.join("\n")}\nThen: ${next}`;
  return new Failure(1, "CONFLICTS", message, { paths });
}

export function notCommitted(paths: readonly string[]): Failure {
  const listed = paths.slice(0, 10).map((path) => `\n  ${path}`);
  const more = paths.length > 10 ? `\n  and ${paths.length - 10} more` : "";
  const message = `The project has changes that are not committed:${listed.join("")}${more}\nCommit or stash them, so that git can take this back; or go on with --force.`;
  return new Failure(1, "UNCOMMITTED", message, { paths });
}

/** What has left conflicts. An update leads to another version, a switch to another pack of the same. */
export function unfinished({ version }: ProjectRecord, pending: PendingUpdate): string {
  return pending.version === version ? "switch" : `update to ${pending.version}`;
}

export function underWay(report: Report, name: string, version: string, left: readonly Conflict[]): void {
  report.set({ version, conflicts: left.map(({ path }) => path) });
  if (left.length > 0) report.note(`The ${name} is not finished yet.`);
}

export function canContinue(report: Report, { record }: Project, pending: PendingUpdate, check: boolean): void {
  const next = initializerCommand(record.answers.packageManager, pending.version, "update", "--continue");
  const message = `The conflicts of the ${unfinished(record, pending)} are settled. Finish it with: ${next}`;
  if (check) throw new Failure(1, "OUTDATED", message);
  report.say(message);
}

export function finished(report: Report, name: string): void {
  report.set({ written: [RECORD] });
  report.succeed(`Finished the ${name}.`);
}

function describe(report: Report, { merge, releases, schemaChanges, backend }: MergeOutcome): void {
  const taken = merge.files.filter(({ outcome, from }) => outcome === "taken" && from === undefined).length;
  const replaced = taken === 0 ? [] : [`  ${files(taken)} that you have not edited: brought to this version`];
  const single = merge.files.flatMap((file) => lineFor(file) ?? []);
  for (const line of [...single, ...replaced]) report.say(line);
  const deleted = merge.files.filter(({ outcome }) => outcome === "kept-deleted").map(({ path }) => path);
  if (deleted.length > 0) {
    const stay = deleted.length === 1 ? "stays" : "stay";
    report.say(`  ${files(deleted.length)} that you have deleted ${stay} deleted (--restore PATH brings one back):`);
    for (const path of deleted) report.say(`    ${path}`);
  }
  for (const note of merge.files.flatMap(({ path, notes }) => notes.map((text) => `${path}: ${text}`)))
    report.note(note);
  for (const { version, text } of releases) report.say(`\nWhat is new in ${version}:\n\n${text}`);
  if (releases.length > 0) report.say("");
  schemaHasChanged(report, backend, schemaChanges);
}

export function whatNext(report: Report, { packageManager }: Choice, inGit: boolean): void {
  const { test } = commands[packageManager];
  report.say(inGit ? `\nLook through it with git diff, run ${test}, and commit it.` : `\nNow run ${test}.`);
}

/** The statements are only shown: whether and when they run is the user's affair. */
export function schemaHasChanged(report: Report, backend: string, changes: readonly Release[]): void {
  report.set({ schemaChanges: changes });
  if (changes.length === 0) return;
  const what = "Nothing here runs these statements: read them, and run them before the new code starts";
  report.say(report.paint("yellow", `The schema of ${backend} has changed. ${what}.`));
  for (const { version, text } of changes.toReversed()) report.say(`\nSince ${version}:\n\n${text}`);
  report.say("");
}

function lineFor({ path, outcome, from, beside }: MergedFile): string | undefined {
  const words = outcome === "taken" && from === undefined ? undefined : outcome === "taken" ? "moved" : WORDS[outcome];
  if (words === undefined) return undefined;
  const before = from === undefined ? "" : ` (was ${from})`;
  const version = beside === undefined ? "" : `: this version's content is in ${beside}`;
  return `  ${path}${before}: ${words}${version}`;
}

function changedFiles({ merge }: MergeOutcome): string[] {
  return [...merge.changes.keys()].filter((path) => path !== RECORD);
}

function files(count: number): string {
  return count === 1 ? "1 file" : `${count} files`;
}
