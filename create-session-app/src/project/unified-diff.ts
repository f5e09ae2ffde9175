// The difference of two texts as `git diff` shows it.
// Change it to show more or less around a change.
import { diffIndices } from "node-diff3";
import { decodeText, plainText } from "./lines.ts";

const CONTEXT_LINES = 3;

/** Undefined content: the file isn't there. Line ends and a newline at the end don't count. The text ends without a newline; empty: no difference. */
export function unifiedDiff(path: string, before: Uint8Array | undefined, after: Uint8Array | undefined): string {
  const texts = [before, after].map((content) => (content === undefined ? "" : decodeText(content)));
  const [from, to] = texts;
  const names = `--- ${before ? `a/${path}` : "/dev/null"}\n+++ ${after ? `b/${path}` : "/dev/null"}`;
  if (from === undefined || to === undefined) return `Binary files of ${path} differ`;
  const [fromLines, toLines] = [before ? linesOf(from) : [], after ? linesOf(to) : []];
  const hunks = hunksOf(fromLines, toLines);
  return hunks.length === 0 ? "" : [names, ...hunks].join("\n");
}

interface Change {
  from: number;
  fromLength: number;
  to: number;
  toLength: number;
}

function hunksOf(from: readonly string[], to: readonly string[]): string[] {
  const groups: Change[][] = [];
  for (const { buffer1, buffer2 } of diffIndices([...from], [...to])) {
    const change = { from: buffer1[0], fromLength: buffer1[1], to: buffer2[0], toLength: buffer2[1] };
    const last = groups.at(-1)?.at(-1);
    if (last && change.from - (last.from + last.fromLength) <= 2 * CONTEXT_LINES) groups.at(-1)?.push(change);
    else groups.push([change]);
  }
  return groups.map((changes) => hunk(changes, from, to));
}

function hunk(changes: readonly Change[], from: readonly string[], to: readonly string[]): string {
  const first = changes[0] as Change;
  const last = changes.at(-1) as Change;
  const before = Math.min(CONTEXT_LINES, first.from);
  const start = first.from - before;
  const end = Math.min(from.length, last.from + last.fromLength + CONTEXT_LINES);
  const lines: string[] = [];
  let position = start;
  for (const change of changes) {
    for (const line of from.slice(position, change.from)) lines.push(` ${line}`);
    for (const line of from.slice(change.from, change.from + change.fromLength)) lines.push(`-${line}`);
    for (const line of to.slice(change.to, change.to + change.toLength)) lines.push(`+${line}`);
    position = change.from + change.fromLength;
  }
  for (const line of from.slice(position, end)) lines.push(` ${line}`);
  const toStart = first.to - before;
  const toLength = lines.filter((line) => !line.startsWith("-")).length;
  return [`@@ -${range(start, end - start)} +${range(toStart, toLength)} @@`, ...lines].join("\n");
}

function range(start: number, length: number): string {
  return `${length === 0 ? start : start + 1},${length}`;
}

function linesOf(text: string): string[] {
  return plainText(text).replace(/\n$/, "").split("\n");
}
