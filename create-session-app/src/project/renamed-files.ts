// Finds files that were moved from one tree to another, by what they say: most lines of the old file are in the new one.
// Change it when moves are missed, or when unrelated files are taken for each other.
import { decodeText, plainText } from "./lines.ts";
import type { Tree } from "./tree.ts";

/** The share of the larger file that both must have in common, as git asks for. */
const LEAST_SIMILARITY = 0.5;

/** Old path to new path, for files of `from` that `to` doesn't have. Each new path is taken once, the most similar pair first. */
export function renamedFiles(from: Tree, to: Tree): Map<string, string> {
  const gone = linesByPath(from, (path) => !to.has(path));
  const appeared = linesByPath(to, (path) => !from.has(path));
  const pairs = [...gone].flatMap(([oldPath, oldLines]) =>
    [...appeared].map(([newPath, newLines]) => {
      const sameName = baseName(oldPath) === baseName(newPath);
      return { oldPath, newPath, sameName, similarity: similarity(oldLines, newLines) };
    }),
  );
  const close = pairs.filter((pair) => pair.similarity >= LEAST_SIMILARITY);
  close.sort((a, b) => b.similarity - a.similarity || Number(b.sameName) - Number(a.sameName));
  const renamed = new Map<string, string>();
  const taken = new Set<string>();
  for (const { oldPath, newPath } of close) {
    if (renamed.has(oldPath) || taken.has(newPath)) continue;
    renamed.set(oldPath, newPath);
    taken.add(newPath);
  }
  return renamed;
}

function linesByPath(tree: Tree, wanted: (path: string) => boolean): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [path, content] of tree) {
    const text = wanted(path) ? decodeText(content) : undefined;
    const lines = text === undefined ? [] : significantLines(text);
    if (lines.length > 0) found.set(path, lines);
  }
  return found;
}

/** Lines that say something: brackets alone are in every file. */
function significantLines(text: string): string[] {
  const lines = plainText(text).split("\n");
  return lines.map((line) => line.trim()).filter((line) => /\w/.test(line));
}

/** Of the larger one, the share of characters that stand in lines of both. */
function similarity(one: readonly string[], other: readonly string[]): number {
  const left = new Map<string, number>();
  for (const line of one) left.set(line, (left.get(line) ?? 0) + 1);
  let common = 0;
  for (const line of other) {
    const count = left.get(line) ?? 0;
    if (count === 0) continue;
    left.set(line, count - 1);
    common += line.length;
  }
  return common / Math.max(size(one), size(other));
}

function size(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + line.length, 0);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
