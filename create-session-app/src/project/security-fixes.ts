// The security fixes that a project may lack (docs/security-fixes.json), each with the code by which a project without it is recognised.
// Change it when a fix can't be seen in one file.

import { decodeText, plainText } from "./lines.ts";
import type { Tree } from "./tree.ts";

export interface SecurityFix {
  /** Never used again, never changed. */
  id: string;
  title: string;
  /** What could happen without it, and what it does. */
  fixes: string;
  /** The first version that has it. */
  since: string;
  /** The packs that were affected: "runtime", "backends/postgres". */
  packs: string[];
  /** Code that a project without the fix has: a regular expression, and the files that it may be in. */
  signs: { files: string[]; pattern: string }[];
}

export interface MissingFix extends SecurityFix {
  /** Where its sign was found. */
  files: string[];
}

/** @param movedByYou generated path to the user's, as in the record */
export function missingFixes(
  fixes: readonly SecurityFix[],
  project: Tree,
  movedByYou: ReadonlyMap<string, string>,
): MissingFix[] {
  return fixes
    .map((fix) => ({ ...fix, files: filesWithSign(fix, project, movedByYou) }))
    .filter(({ files }) => files.length > 0);
}

/** All files that a sign may be in, by generated path. */
export function filesToSearch(fixes: readonly SecurityFix[]): string[] {
  return fixes.flatMap(({ signs }) => signs.flatMap(({ files }) => files));
}

function filesWithSign({ signs }: SecurityFix, project: Tree, movedByYou: ReadonlyMap<string, string>): string[] {
  return signs.flatMap(({ files, pattern }) => {
    const places = files.map((path) => movedByYou.get(path) ?? path);
    return places.filter((path) => new RegExp(pattern).test(textAt(project, path)));
  });
}

function textAt(project: Tree, path: string): string {
  const content = project.get(path);
  return content === undefined ? "" : plainText(decodeText(content) ?? "");
}
