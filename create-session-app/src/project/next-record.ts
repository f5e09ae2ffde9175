// Makes the record that a merge leaves in the project, for `doctor` and the next merge.
// Change it when a merge has to leave something else for the next one; read-record.ts reads it.
import { decodeText } from "./lines.ts";
import type { MergeResult } from "./merge.ts";
import { saysTheSame } from "./merge-file.ts";
import type { Tree } from "./tree.ts";

export interface MergedProject {
  /** The text of the record that this version generates. */
  generatedRecord: string;
  /** The text of the record that the project has. */
  recordText: string;
  version: string;
  yours: Tree;
  ours: Tree;
}

/**
 * The text of the record to write; undefined: the project has it already. While there are conflicts it is the old record, with the
 * new one kept for later in it.
 */
export function nextRecord(project: MergedProject, result: MergeResult): string | undefined {
  const { generatedRecord, recordText, version, yours, ours } = project;
  const { moved, files, changes } = result;
  const generated = editedTexts(result, yours, ours);
  const record = {
    ...JSON.parse(generatedRecord),
    ...(moved.size === 0 ? {} : { moved: Object.fromEntries(moved) }),
    ...(generated.size === 0 ? {} : { generated: Object.fromEntries(generated) }),
  };
  const conflicts = files.filter(({ outcome }) => outcome === "conflict").map(({ path }) => path);
  const old = JSON.parse(recordText);
  const next = conflicts.length === 0 ? record : { ...old, pending: { version, conflicts, record } };
  return isSame(next, old, changes.size > 0) ? undefined : formatRecord(next);
}

export function formatRecord(record: unknown): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}

/**
 * What is generated now, line by line, for each file that the user has edited. The next merge needs it as its base, and no commit of
 * the user's ever holds it, since they get the merged file: see docs/decisions/0012-the-base-in-the-record.md.
 */
function editedTexts({ changes, moved }: MergeResult, yours: Tree, ours: Tree): Map<string, string[]> {
  const texts = new Map<string, string[]>();
  for (const [generatedPath, generated] of ours) {
    const path = moved.get(generatedPath) ?? generatedPath;
    const now = changes.get(path) ?? yours.get(path);
    const text = decodeText(generated);
    if (now === undefined || now === "remove" || text === undefined || saysTheSame(now, generated)) continue;
    texts.set(generatedPath, text.split("\n"));
  }
  return texts;
}

/** The texts of edited files are no reason of their own to write a record: they only come with other changes. */
function isSame(one: object, other: object, withTexts: boolean): boolean {
  const comparable = (record: object) => JSON.stringify(withTexts ? record : { ...record, generated: undefined });
  return comparable(one) === comparable(other);
}
