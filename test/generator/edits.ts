// Random edits of a text, as a user or a new version makes them, for the tests of merging.
// Change it to add a kind of edit.
import fc from "fast-check";

/** Changes lines; `who` marks the lines that it adds, so that none of them is like another. */
export type Edit = (lines: readonly string[], who: string) => string[];

const position = fc.noBias(fc.integer({ min: 0, max: 9999 }).map((number) => number / 10_000));
const few = fc.integer({ min: 1, max: 5 });

let added = 0;

function newLines(who: string, count: number): string[] {
  return Array.from({ length: count }, () => `  // ${who} ${++added}`);
}

function at(lines: readonly string[], share: number): number {
  return Math.floor(share * (lines.length + 1));
}

const inserting = fc.tuple(position, few).map(
  ([share, count]): Edit =>
    (lines, who) =>
      lines.toSpliced(at(lines, share), 0, ...newLines(who, count)),
);

const deleting = fc.tuple(position, few).map(
  ([share, count]): Edit =>
    (lines) =>
      lines.toSpliced(at(lines, share), count),
);

const changing = fc.tuple(position, few, few).map(
  ([share, count, replacement]): Edit =>
    (lines, who) =>
      lines.toSpliced(at(lines, share), count, ...newLines(who, replacement)),
);

const movingABlock = fc.tuple(position, position, fc.integer({ min: 1, max: 12 })).map(([from, to, count]): Edit => {
  return (lines) => {
    const rest = [...lines];
    const block = rest.splice(at(lines, from), count);
    rest.splice(at(rest, to), 0, ...block);
    return rest;
  };
});

const repeatingLines = fc.tuple(position, position, few).map(([from, to, count]): Edit => {
  return (lines) => {
    const start = at(lines, from);
    return lines.toSpliced(at(lines, to), 0, ...lines.slice(start, start + count));
  };
});

const indentingABlock = fc.tuple(position, fc.integer({ min: 1, max: 12 })).map(([share, count]): Edit => {
  return (lines) => {
    const start = at(lines, share);
    return lines.map((line, index) => (index < start || index >= start + count || line === "" ? line : `  ${line}`));
  };
});

const usingTabs: Edit = (lines) =>
  lines.map((line) => line.replace(/^( {2})+/, (spaces) => "\t".repeat(spaces.length / 2)));

function edits(...kinds: fc.Arbitrary<Edit>[]) {
  return fc.array(fc.oneof(...kinds), { minLength: 1, maxLength: 4 });
}

/** What both sides may do without doing the same: no line is repeated. */
export const plainEdits = edits(inserting, deleting, changing, movingABlock);

/** Edits that keep each line as it is written. */
export const lineEdits = edits(inserting, deleting, changing, movingABlock, repeatingLines);

/** The same, and edits of indentation. */
export const allEdits = edits(
  inserting,
  deleting,
  changing,
  movingABlock,
  repeatingLines,
  indentingABlock,
  fc.constant(usingTabs),
);

export type LineEnds = "\n" | "\r\n" | "mixed";

export const lineEnds = fc.constantFrom<LineEnds>("\n", "\n", "\r\n", "mixed");

export function edited(text: string, edits: readonly Edit[], who: string): string {
  const lines = text.replace(/\n$/, "").split("\n");
  return `${edits.reduce<string[]>((current, edit) => edit(current, who), lines).join("\n")}\n`;
}

export function withLineEnds(text: string, ends: LineEnds): string {
  let count = 0;
  return text.replaceAll("\n", () => (ends === "mixed" ? (count++ % 3 === 0 ? "\r\n" : "\n") : ends));
}
