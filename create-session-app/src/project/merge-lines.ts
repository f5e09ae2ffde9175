// Merges three versions of a text by lines (diff3). What both sides have changed is shown between conflict markers.
// Change it when a conflict could be settled better; test/generator/merge-lines.test.ts compares it with git.
import { diff3MergeRegions, diffIndices } from "node-diff3";
import { indentationChange, indentationStyle } from "./indentation.ts";
import type { Line } from "./lines.ts";
import { joinLines, splitLines, usualLineEnd } from "./lines.ts";

/** The version that was generated, the user's, and the one that is generated now. */
export interface Sides<T> {
  base: T;
  yours: T;
  ours: T;
}

/** What the conflict markers call the two sides. */
export interface Labels {
  yours: string;
  ours: string;
}

export interface MergedText {
  text: string;
  /** How many conflicts are marked in the text. */
  conflicts: number;
}

export interface LineMergeOptions {
  /** Lines that differ in their indentation only count as equal where that avoids conflicts; the user's indentation stays. */
  ignoreIndentation?: boolean;
  /** Settles what would be a conflict; undefined leaves it one. */
  settle?(conflict: Sides<Line[]>): Line[] | undefined;
}

type Region = { settled: Line[] } | { conflict: Sides<Line[]> };
type Key = (line: Line) => string;

const exactly: Key = ({ text }) => text;
const withoutIndentation: Key = ({ text }) => text.trim();

export function mergeLines(texts: Sides<string>, labels: Labels, options: LineMergeOptions = {}): MergedText {
  const sides = { base: splitLines(texts.base), yours: splitLines(texts.yours), ours: splitLines(texts.ours) };
  const merged = mergeWithFewestConflicts(sides, options);
  const lineEnd = usualLineEnd(sides.yours);
  const lines = merged.flatMap((region) => ("settled" in region ? region.settled : marked(region.conflict, labels)));
  return { text: joinLines(lines, lineEnd, newlineAtEnd(texts, merged)), conflicts: countConflicts(merged) };
}

/** Repeated lines can be matched in several ways, each of them right; a conflict is shown only where none avoids it. */
function mergeWithFewestConflicts(sides: Sides<Line[]>, options: LineMergeOptions): Region[] {
  let best: Region[] | undefined;
  for (const { key, compared } of comparisons(sides, options)) {
    for (const merge of [mergeBy, mergeFromTheEnd]) {
      const merged = merge(key, compared, options);
      if (best === undefined || countConflicts(merged) < countConflicts(best)) best = merged;
      if (countConflicts(best) === 0) return best;
    }
  }
  return best ?? [];
}

/** The strictest first. */
function comparisons(sides: Sides<Line[]>, options: LineMergeOptions): { key: Key; compared: Sides<Line[]> }[] {
  const asWritten = { key: exactly, compared: sides };
  if (!options.ignoreIndentation) return [asWritten];
  const convert = indentationStyle(sides.base, sides.yours);
  const inYourStyle = { base: convert(sides.base), yours: sides.yours, ours: convert(sides.ours) };
  return [asWritten, { key: exactly, compared: inYourStyle }, { key: withoutIndentation, compared: inYourStyle }];
}

/** Where lines repeat, this matches the last of them first. */
function mergeFromTheEnd(key: Key, sides: Sides<Line[]>, options: LineMergeOptions): Region[] {
  const settle = options.settle;
  const regions = mergeBy(key, reversed(sides), {
    settle: settle && ((conflict) => settle(reversed(conflict))?.toReversed()),
  });
  return regions
    .toReversed()
    .map((region) =>
      "settled" in region ? { settled: region.settled.toReversed() } : { conflict: reversed(region.conflict) },
    );
}

function reversed({ base, yours, ours }: Sides<Line[]>): Sides<Line[]> {
  return { base: base.toReversed(), yours: yours.toReversed(), ours: ours.toReversed() };
}

function mergeBy(key: Key, sides: Sides<Line[]>, options: LineMergeOptions): Region[] {
  const { base, yours, ours } = sides;
  const matched = { yours: matchedLines(base, yours, key), ours: matchedLines(base, ours, key) };
  const regions = diff3MergeRegions(yours.map(key), base.map(key), ours.map(key));
  return regions.map((region): Region => {
    if (!region.stable) {
      const conflict = {
        base: base.slice(region.oStart, region.oStart + region.oLength),
        yours: yours.slice(region.aStart, region.aStart + region.aLength),
        ours: ours.slice(region.bStart, region.bStart + region.bLength),
      };
      return settleConflict(conflict, key, options);
    }
    const { bufferStart: start, buffer } = region;
    const end = start + region.bufferLength;
    if (buffer === "a") return { settled: yours.slice(start, end) };
    if (buffer === "b") return { settled: asIndentedByYou(start, end, sides, matched) };
    return { settled: withoutRealChange(start, end, sides, matched) };
  });
}

function settleConflict(conflict: Sides<Line[]>, key: Key, options: LineMergeOptions): Region {
  const { yours, ours } = conflict;
  const same = yours.length === ours.length && yours.every((line, index) => key(line) === key(ours[index] as Line));
  if (same) return { settled: yours };
  const settled = options.settle?.(conflict);
  return settled ? { settled } : { conflict };
}

/** For each line of the base, by its index, the index of the same line in the other text, where it is there. */
function matchedLines(base: readonly Line[], other: readonly Line[], key: Key): Map<number, number> {
  const found = new Map<number, number>();
  let inBase = 0;
  let inOther = 0;
  const matchUpTo = (end: number) => {
    while (inBase < end) found.set(inBase++, inOther++);
  };
  for (const difference of diffIndices(base.map(key), other.map(key))) {
    matchUpTo(difference.buffer1[0]);
    inBase += difference.buffer1[1];
    inOther += difference.buffer2[1];
  }
  matchUpTo(base.length);
  return found;
}

/** Lines that both sides have kept: in the user's form where the user has indented them anew, else in ours. */
function withoutRealChange(start: number, end: number, sides: Sides<Line[]>, matched: Matched): Line[] {
  const lines: Line[] = [];
  for (let index = start; index < end; index++) {
    const yourLine = sides.yours[matched.yours.get(index) as number] as Line;
    const ourLine = sides.ours[matched.ours.get(index) as number] as Line;
    const changedByYou = yourLine.text !== sides.base[index]?.text;
    lines.push(changedByYou ? yourLine : { text: ourLine.text, end: yourLine.end });
  }
  return lines;
}

interface Matched {
  yours: ReadonlyMap<number, number>;
  ours: ReadonlyMap<number, number>;
}

/** Lines that only we have changed, indented as the user has indented the lines that they replace or follow. */
function asIndentedByYou(start: number, end: number, sides: Sides<Line[]>, matched: Matched): Line[] {
  const before = [...matched.ours].findLast(([, ours]) => ours < start)?.[0] ?? -1;
  const after = [...matched.ours].find(([, ours]) => ours >= end)?.[0] ?? sides.base.length;
  const replaced = Array.from({ length: after - before - 1 }, (_, index) => before + 1 + index);
  const reindent = indentationChange(
    [...replaced, before, after].map((index) => [
      sides.base[index]?.text ?? "",
      sides.yours[matched.yours.get(index) ?? -1]?.text ?? "",
    ]),
  );
  const lineEnd = usualLineEnd(sides.yours);
  return sides.ours.slice(start, end).map(({ text }) => ({ text: reindent(text), end: lineEnd }));
}

function marked({ yours, ours }: Sides<Line[]>, labels: Labels): Line[] {
  const shorter = Math.min(yours.length, ours.length);
  let first = 0;
  while (first < shorter && yours[first]?.text === ours[first]?.text) first++;
  let last = 0;
  while (last < shorter - first && yours.at(-1 - last)?.text === ours.at(-1 - last)?.text) last++;
  const lineEnd = usualLineEnd(yours);
  const marker = (text: string): Line => ({ text, end: lineEnd });
  return [
    ...yours.slice(0, first),
    marker(`<<<<<<< ${labels.yours}`),
    ...yours.slice(first, yours.length - last),
    marker("======="),
    ...ours.slice(first, ours.length - last).map(({ text }) => marker(text)),
    marker(`>>>>>>> ${labels.ours}`),
    ...yours.slice(yours.length - last),
  ];
}

function countConflicts(regions: readonly Region[]): number {
  return regions.filter((region) => "conflict" in region).length;
}

/** A marker that closes the file ends with a newline; else whoever has added or removed the newline counts. */
function newlineAtEnd({ base, yours, ours }: Sides<string>, merged: readonly Region[]): boolean {
  const last = merged.at(-1);
  if (last && "conflict" in last) return true;
  const [inBase, inYours, inOurs] = [base, yours, ours].map((text) => text.endsWith("\n"));
  return (inYours === inBase ? inOurs : inYours) === true;
}
