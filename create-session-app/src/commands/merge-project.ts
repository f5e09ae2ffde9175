// The middle of `update` and `switch`: gathers the three versions of a project, merges them, and says what has to be written.
// Change it when a project's files are to be found elsewhere, or when its record gets another part.
import { Failure } from "../command-line/failure.ts";
import { quoted } from "../command-line/wording.ts";
import type { NewFile } from "../disk/changes.ts";
import { readFiles } from "../disk/read.ts";
import type { GitHistory } from "../programs/git-history.ts";
import type { Regenerated } from "../programs/old-version.ts";
import { labelsFor } from "../project/conflicts.ts";
import type { BaseSource } from "../project/find-base.ts";
import { findBase } from "../project/find-base.ts";
import type { MergedFile, MergeResult } from "../project/merge.ts";
import { mergeTrees } from "../project/merge.ts";
import type { Plan } from "../project/plan.ts";
import type { RecordedAnswers } from "../project/read-record.ts";
import { RECORD } from "../project/record.ts";
import type { Tree } from "../project/tree.ts";
import type { Project } from "./project.ts";

export interface MergeInput {
  project: Project;
  /** What this version generates. */
  plan: Plan;
  version: string;
  history: GitHistory | undefined;
  /** What this version generates for the answers in the record, where it is the version in the record. */
  recordedPlan?: Plan;
  /** A directory with the project as it was generated. */
  baseDirectory: string | undefined;
  restore: readonly string[];
  signal: AbortSignal;
}

export interface ProjectMerge {
  files: MergedFile[];
  conflicts: MergedFile[];
  /** For the writer; the record is among them. */
  changes: Map<string, NewFile | "remove">;
  /** The project's contents before. */
  before: Tree;
  /** Generated paths where the user has something other than a file, which is left alone. */
  leftAlone: string[];
}

export async function mergeProject(input: MergeInput): Promise<ProjectMerge> {
  const { project, plan, version, restore } = input;
  const ours = contentsOf(plan);
  const recorded = new Map([...project.record.files].filter(([path]) => path !== RECORD));
  const here = readFiles(project.directory, new Set([...recorded.keys(), ...ours.keys()]));
  for (const path of here.others) {
    recorded.delete(path);
    ours.delete(path);
  }
  const movedByYou = await findMoved(input, here.files);
  const moved = readFiles(project.directory, movedByYou.values());
  const yours = new Map([...here.files, ...moved.files]);
  checkRestore(restore, ours, yours);

  const base = await baseOf(input, { recorded, movedByYou, yours, ours });
  const result = mergeTrees({
    base,
    yours,
    ours,
    movedByYou,
    restore: new Set(restore),
    labels: labelsFor(version),
  });
  const conflicts = result.files.filter(({ outcome }) => outcome === "conflict");
  const changes = new Map<string, NewFile | "remove">();
  const modes = new Map([...here.modes, ...moved.modes]);
  for (const [path, content] of result.changes) {
    const from = result.files.find((file) => file.path === path)?.from ?? path;
    const mode = modes.get(path) ?? modes.get(from) ?? plan.get(path)?.mode ?? 0o644;
    changes.set(path, content === "remove" ? content : { content, mode });
  }
  const recordText = nextRecord(input, result, conflicts);
  const isRecorded = JSON.stringify(JSON.parse(recordText)) === JSON.stringify(JSON.parse(project.recordText));
  if (!isRecorded) changes.set(RECORD, { content: Buffer.from(recordText), mode: 0o644 });
  return { files: result.files, conflicts, changes, before: yours, leftAlone: here.others };
}

function contentsOf(plan: Plan): Map<string, Uint8Array> {
  const files = [...plan].filter(([path]) => path !== RECORD);
  return new Map(files.map(([path, { content }]) => [path, content]));
}

/** Those of the record, and those that git knows of since the record was last written. */
async function findMoved({ project, history }: MergeInput, here: Tree): Promise<Map<string, string>> {
  const { record, directory } = project;
  const gone = [...record.files.keys()].filter((path) => !here.has(path));
  if (gone.length === 0) return new Map();
  const [commit] = (await history?.commitsOf(RECORD)) ?? [];
  const known = new Map([
    ...(commit === undefined ? [] : ((await history?.movedSince(commit)) ?? [])),
    ...record.moved,
  ]);
  const moved = new Map<string, string>();
  for (const path of gone) {
    const now = known.get(path);
    if (now !== undefined && readFiles(directory, [now]).files.has(now)) moved.set(path, now);
  }
  return moved;
}

function checkRestore(restore: readonly string[], ours: Tree, yours: Tree): void {
  for (const path of restore) {
    if (!ours.has(path))
      throw new Failure(2, "USAGE", `Nothing at ${quoted(path)} is generated, so it can't be restored.`);
    if (yours.has(path)) throw new Failure(2, "USAGE", `${quoted(path)} is there, so it need not be restored.`);
  }
}

interface Sources {
  recorded: ReadonlyMap<string, string>;
  movedByYou: ReadonlyMap<string, string>;
  yours: Tree;
  ours: Tree;
}

async function baseOf(input: MergeInput, { recorded, movedByYou, yours, ours }: Sources): Promise<Tree> {
  const { project, recordedPlan, history, baseDirectory, signal } = input;
  const { version, answers } = project.record;
  let regenerated: Regenerated | undefined;
  const fromRegistry: BaseSource = async () => {
    const { regenerate } = await import("../programs/old-version.ts");
    const record = { path: RECORD, text: format({ format: 1, version, answers, files: {} }) };
    regenerated = await regenerate(version, answers.added ? { record } : { flags: generatingFlags(answers) }, signal);
    return regenerated.files;
  };
  const whereMoved = new Map([...movedByYou].map(([path, now]) => [path, yours.get(now) ?? new Uint8Array()]));
  const shared = new Map([...project.record.shared].map(([path, text]) => [path, Buffer.from(text)]));
  const sources: BaseSource[] = [() => shared, () => yours, () => whereMoved, () => ours];
  if (recordedPlan) sources.push(() => contentsOf(recordedPlan));
  if (baseDirectory !== undefined) sources.push((missing) => readFiles(baseDirectory, missing.keys()).files);
  else if (history) sources.push(...gitSources(history));
  if (baseDirectory === undefined) sources.push(fromRegistry);
  const { base, missing } = await findBase(recorded, sources);
  const lacking: string[] = [];
  for (const path of missing) {
    // The recorded version may generate it otherwise here (on another Node, outside of a workspace). A base that isn't quite the right one
    // makes more conflicts, but loses nothing.
    const similar = regenerated?.files.get(path);
    const isDeleted = !yours.has(path) && !movedByYou.has(path);
    if (similar !== undefined) base.set(path, similar);
    // Without its content, it is still known that the file was generated, and that it was deleted.
    else if (isDeleted) base.set(path, new Uint8Array());
    else lacking.push(path);
  }
  if (lacking.length > 0) throw needsBase(input, lacking, regenerated?.problem);
  return base;
}

function gitSources(history: GitHistory): BaseSource[] {
  const byId: BaseSource = async (missing) => {
    const blobs = await history.blobs([...new Set(missing.values())]);
    return new Map([...missing].flatMap(([path, id]) => (blobs.has(id) ? [[path, blobs.get(id) as Uint8Array]] : [])));
  };
  // Records before format 1 have no ids of git's, and a repository may name its objects by SHA-256.
  const byPath: BaseSource = async (missing) => {
    const commits = await history.commitsOf(RECORD);
    const found = new Map<string, Uint8Array>();
    for (const commit of new Set([...commits.slice(0, 1), ...commits.slice(-1)])) {
      for (const [path, content] of await history.filesAt(commit, [...missing.keys()])) found.set(path, content);
    }
    return found;
  };
  return [byId, byPath];
}

function needsBase({ project, baseDirectory }: MergeInput, paths: readonly string[], problem = ""): Failure {
  const { version, answers } = project.record;
  const listed = paths.map((path) => `\n  ${path}`).join("");
  const where =
    baseDirectory === undefined
      ? `is neither in the history of a git repository here, nor could create-session-app ${version} make it again`
      : `isn't in ${quoted(baseDirectory)}`;
  const count = paths.length === 1 ? "a file that you have edited" : `${paths.length} files that you have edited`;
  const command = `npm create session-app@${version} DIR -- ${generatingFlags(answers).join(" ")}`;
  const remedy = answers.added ? "" : ` This makes one:\n  ${command}`;
  const message = `What was generated ${where}, for ${count}:${listed}\nGive a directory with the project as it was generated: --base DIR.${remedy}`;
  return new Failure(1, "NO_BASE", message, { paths, version, output: problem });
}

/** The flags that make a project with these answers again; older versions know them too. */
function generatingFlags({ name, framework, backend, packageManager, minimal }: RecordedAnswers): string[] {
  const flags = ["--framework", framework, "--backend", backend, "--name", name, "--pm", packageManager];
  return [...flags, ...(minimal ? ["--minimal"] : []), "--no-install", "--no-git"];
}

/** The record of what is generated now; or, while there are conflicts, the old one with the new one kept for later in it. */
function nextRecord({ project, plan, version }: MergeInput, { moved }: MergeResult, conflicts: MergedFile[]): string {
  const generated = JSON.parse(Buffer.from(plan.get(RECORD)?.content ?? []).toString("utf8"));
  const record = moved.size === 0 ? generated : { ...generated, moved: Object.fromEntries(moved) };
  if (conflicts.length === 0) return format(record);
  const pending = { version, conflicts: conflicts.map(({ path }) => path), record };
  return format({ ...JSON.parse(project.recordText), pending });
}

function format(record: unknown): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}
