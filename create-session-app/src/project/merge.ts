// Brings a project to a newer state: merges what was generated, what the user made of it, and what is generated now.
// Pure: trees in, a tree and a report out. Change it when a file should meet another fate; no line of the user's may get lost here.
import { linesInCommon } from "./lines.ts";
import type { Contents } from "./merge-file.ts";
import { mergeFile, saysTheSame, storedLike } from "./merge-file.ts";
import type { Labels } from "./merge-lines.ts";
import { renamedFiles } from "./renamed-files.ts";
import type { Tree } from "./tree.ts";

export interface TreeMerge {
  /** As it was generated, by the version in the project's record. */
  base: Tree;
  /** As the user has it. Files that were never generated may be left out, unless `ours` has a file at their path. */
  yours: Tree;
  /** As this version generates it. */
  ours: Tree;
  /** Files that the user has moved: the generated path to the user's. */
  movedByYou?: ReadonlyMap<string, string>;
  /** Generated paths that the user has deleted and wants to have back. */
  restore?: ReadonlySet<string>;
  /** How the user's formatter writes contents of `base` and `ours`, for files that the user has formatted by it. */
  formatted?: ReadonlyMap<Uint8Array, Uint8Array>;
  labels: Labels;
}

/**
 * same: nothing to do. taken: replaced by, or new in, this version. kept: the user's, as this version has changed nothing.
 * merged: both sides' changes are in it. conflict: the user has to choose; both sides are shown. removed: this version has no such
 * file, and the user had not changed it. orphaned: the same, but the user had changed it, so it stays. kept-deleted: the user has
 * deleted it, so it isn't brought back. restored: brought back on request.
 */
export type Outcome =
  | "same"
  | "taken"
  | "kept"
  | "merged"
  | "conflict"
  | "removed"
  | "orphaned"
  | "kept-deleted"
  | "restored";

export interface MergedFile {
  /** Where the file is now. */
  path: string;
  outcome: Outcome;
  /** Where it was before, if this version or the user has moved it. */
  from?: string;
  /** How many conflicts are marked in it. */
  conflicts?: number;
  /** Where this version's content was put, for a conflict that can't be marked inside the file. */
  beside?: string;
  /** Whole sentences about settings of the user's that were kept. */
  notes: string[];
}

export interface MergeResult {
  /** Sorted by path. */
  files: MergedFile[];
  /** What has to be written or removed. */
  changes: Map<string, Uint8Array | "remove">;
  /** Files that stay where the user has moved them: this version's path to the user's. */
  moved: Map<string, string>;
  /** Files that differ from `base` on both sides. On the user's, the way that they are formatted may be all that differs. */
  changedByBoth: ChangedByBoth[];
}

export interface ChangedByBoth {
  path: string;
  /** The contents of `base` and `ours`, as far as they have the file. */
  generated: Uint8Array[];
}

/** One file through its life: where each side has it. */
interface Lineage {
  base?: string;
  yours?: string;
  ours?: string;
}

export function mergeTrees(input: TreeMerge): MergeResult {
  const changes = new Map<string, Uint8Array | "remove">();
  const files: MergedFile[] = [];
  const moved = new Map<string, string>();
  const changedByBoth: ChangedByBoth[] = [];
  for (const lineage of lineages(input)) {
    const file = mergeOne(lineage, input, changes);
    if (!file) continue;
    files.push(file);
    if (CHANGED_BY_BOTH.has(file.outcome) || file.notes.length > 0) {
      changedByBoth.push({ path: file.path, generated: generatedContents(lineage, input) });
    }
    if (lineage.ours !== undefined && lineage.ours !== file.path) moved.set(lineage.ours, file.path);
  }
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { files, changes, moved, changedByBoth };
}

const CHANGED_BY_BOTH: ReadonlySet<Outcome> = new Set(["merged", "conflict", "orphaned"]);

/** The suffix of a file that holds this version's content beside the user's. */
export const BESIDE = ".create-session-app";

function lineages({ base, yours, ours, movedByYou = new Map() }: TreeMerge): Lineage[] {
  const movedByUs = renamedFiles(base, ours);
  const found: Lineage[] = [];
  const reached = new Set<string>();
  for (const path of base.keys()) {
    const inYours = yours.has(path) ? path : movedByYou.get(path);
    // A file of the user's own stands where ours is to go: then they are two files.
    const target = movedByUs.get(path);
    const isFree = target !== undefined && (target === inYours || !yours.has(target));
    const inOurs = ours.has(path) ? path : isFree ? target : undefined;
    if (inOurs !== undefined) reached.add(inOurs);
    found.push({
      base: path,
      ...(inYours !== undefined && yours.has(inYours) ? { yours: inYours } : {}),
      ...(inOurs !== undefined ? { ours: inOurs } : {}),
    });
  }
  for (const path of ours.keys()) {
    if (!reached.has(path)) found.push({ ours: path, ...(yours.has(path) ? { yours: path } : {}) });
  }
  return found;
}

function mergeOne(lineage: Lineage, input: TreeMerge, changes: MergeResult["changes"]): MergedFile | undefined {
  const contents = {
    base: content(input.base, lineage.base),
    yours: content(input.yours, lineage.yours),
    ours: content(input.ours, lineage.ours),
  };
  const { base, yours, ours } = contents;
  if (yours === undefined) return ours && missing(lineage.ours ?? "", base, ours, input, changes);
  const yourPath = lineage.yours ?? "";
  if (ours === undefined) return base && noLongerOurs(yourPath, { base, yours }, input, changes);

  const movedByYou = lineage.base !== undefined && lineage.base !== yourPath;
  const path = movedByYou ? yourPath : (lineage.ours ?? yourPath);
  const merged = mergeContents(path, { base, yours, ours }, input);
  if (path !== yourPath) changes.set(yourPath, "remove");
  if (path !== yourPath || Buffer.compare(merged.content, yours) !== 0) changes.set(path, merged.content);
  if (merged.beside) changes.set(`${path}${BESIDE}`, merged.beside);
  const from = path !== yourPath ? yourPath : movedByYou ? lineage.base : undefined;
  return {
    path,
    outcome: path !== yourPath && merged.outcome === "same" ? "taken" : merged.outcome,
    ...(from === undefined ? {} : { from }),
    ...(merged.conflicts > 0 ? { conflicts: merged.conflicts } : {}),
    ...(merged.beside ? { beside: `${path}${BESIDE}` } : {}),
    notes: merged.notes,
  };
}

/** The user doesn't have the file: it is new, or the user has deleted it. */
function missing(
  path: string,
  base: Uint8Array | undefined,
  ours: Uint8Array,
  { restore }: TreeMerge,
  changes: MergeResult["changes"],
): MergedFile {
  const isNew = base === undefined;
  if (!isNew && !restore?.has(path)) return { path, outcome: "kept-deleted", notes: [] };
  changes.set(path, ours);
  return { path, outcome: isNew ? "taken" : "restored", notes: [] };
}

function noLongerOurs(
  path: string,
  { base, yours }: { base: Uint8Array; yours: Uint8Array },
  { formatted }: TreeMerge,
  changes: MergeResult["changes"],
): MergedFile {
  const isUnedited = saysTheSame(yours, base) || saysTheSame(yours, formatted?.get(base) ?? base);
  if (!isUnedited) return { path, outcome: "orphaned", notes: [] };
  changes.set(path, "remove");
  return { path, outcome: "removed", notes: [] };
}

interface MergedContents {
  outcome: Outcome;
  content: Uint8Array;
  conflicts: number;
  notes: string[];
  /** This version's content, where it can't be merged into the user's. */
  beside?: Uint8Array;
}

/** By what was generated in the user's format, where that leaves less to settle, or is closer to what the user has. */
function mergeContents(path: string, contents: Contents, { labels, formatted }: TreeMerge): MergedContents {
  const asGenerated = mergeAsWritten(path, contents, labels);
  const { base, yours, ours } = contents;
  const [formattedBase, formattedOurs] = [base && formatted?.get(base), formatted?.get(ours)];
  if (formattedOurs === undefined || (base && !formattedBase)) return asGenerated;
  const inYourFormat = mergeAsWritten(path, { base: formattedBase, yours, ours: formattedOurs }, labels);
  const fewer = toSettle(asGenerated) - toSettle(inYourFormat);
  const isCloser = base && formattedBase && linesInCommon(yours, formattedBase) > linesInCommon(yours, base);
  return fewer > 0 || (fewer === 0 && isCloser) ? inYourFormat : asGenerated;
}

function mergeAsWritten(path: string, contents: Contents, labels: Labels): MergedContents {
  const { base, yours, ours } = contents;
  const settled = { conflicts: 0, notes: [] };
  if (saysTheSame(yours, ours)) return { outcome: "same", content: yours, ...settled };
  if (base !== undefined && saysTheSame(ours, base)) return { outcome: "kept", content: yours, ...settled };
  if (base !== undefined && saysTheSame(yours, base)) {
    return { outcome: "taken", content: storedLike(yours, { base, ours }), ...settled };
  }
  const merged = mergeFile(path, contents, labels);
  if (merged === undefined) return { outcome: "conflict", content: yours, ...settled, beside: ours };
  const unchanged = Buffer.compare(merged.content, yours) === 0;
  return { outcome: merged.conflicts > 0 ? "conflict" : unchanged ? "kept" : "merged", ...merged };
}

function toSettle({ outcome, conflicts = 0, notes }: Pick<MergedFile, "outcome" | "conflicts" | "notes">): number {
  const isOpen = outcome === "orphaned" || outcome === "conflict";
  return Math.max(conflicts, isOpen ? 1 : 0) + notes.length;
}

function generatedContents({ base, ours }: Lineage, input: TreeMerge): Uint8Array[] {
  return [content(input.base, base), content(input.ours, ours)].filter((found) => found !== undefined);
}

function content(tree: Tree, path: string | undefined): Uint8Array | undefined {
  return path === undefined ? undefined : tree.get(path);
}
