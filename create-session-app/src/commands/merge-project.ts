// The middle of `update` and `switch`: gathers the three versions of a project, merges them, and says what has to be written.
// Change it when a project's files are to be found elsewhere, or when its record gets another part.
import { Failure } from "../command-line/failure.ts";
import type { Report } from "../command-line/report.ts";
import { quoted } from "../command-line/wording.ts";
import type { NewFile } from "../disk/changes.ts";
import { readFiles } from "../disk/read.ts";
import { labelsFor } from "../project/conflicts.ts";
import type { MergedFile } from "../project/merge.ts";
import { mergeTrees } from "../project/merge.ts";
import { nextRecord } from "../project/next-record.ts";
import type { Plan } from "../project/plan.ts";
import { contentsOf } from "../project/plan.ts";
import { RECORD } from "../project/record.ts";
import type { Tree } from "../project/tree.ts";
import { formatAlike } from "./format-alike.ts";
import type { BaseInput } from "./merge-base.ts";
import { baseOf } from "./merge-base.ts";

export interface MergeInput extends BaseInput {
  /** What this version generates. */
  plan: Plan;
  version: string;
  restore: readonly string[];
  report: Report;
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
  const trees = { base, yours, ours, movedByYou, restore: new Set(restore), labels: labelsFor(version) };
  const asGenerated = mergeTrees(trees);
  const formatted = await formatAlike(asGenerated.changedByBoth, project.directory, input);
  const result = formatted.size === 0 ? asGenerated : mergeTrees({ ...trees, formatted });
  const conflicts = result.files.filter(({ outcome }) => outcome === "conflict");
  const changes = new Map<string, NewFile | "remove">();
  const modes = new Map([...here.modes, ...moved.modes]);
  for (const [path, content] of result.changes) {
    const from = result.files.find((file) => file.path === path)?.from ?? path;
    const mode = modes.get(path) ?? modes.get(from) ?? plan.get(path)?.mode ?? 0o644;
    changes.set(path, content === "remove" ? content : { content, mode });
  }
  const generatedRecord = Buffer.from(plan.get(RECORD)?.content ?? []).toString("utf8");
  const { recordText } = project;
  const next = nextRecord({ generatedRecord, recordText, version, yours, ours }, result);
  if (next !== undefined) changes.set(RECORD, { content: Buffer.from(next), mode: 0o644 });
  return { files: result.files, conflicts, changes, before: yours, leftAlone: here.others };
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
