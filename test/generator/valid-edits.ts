// Random edits of TypeScript that leave it valid, and of the same types, for the tests of merging whole projects.
// Change it to add a kind of edit.
import fc from "fast-check";
import type { Edit } from "./edits.ts";

const share = fc.noBias(fc.integer({ min: 0, max: 9999 }).map((number) => number / 10_000));

let added = 0;

/** The indexes of lines that a predicate fits. */
function indexes(lines: readonly string[], fits: (line: string) => boolean): number[] {
  return lines.flatMap((line, index) => (fits(line) ? [index] : []));
}

function chosen(places: readonly number[], share: number): number | undefined {
  return places[Math.floor(share * places.length)];
}

/** After a statement, or at the beginning of a block. */
const addingComments = fc.tuple(share, fc.integer({ min: 1, max: 3 })).map(([share, count]): Edit => {
  return (lines, who) => {
    const place = chosen(
      indexes(lines, (line) => /[;{]$/.test(line)),
      share,
    );
    const comments = Array.from({ length: count }, () => `// ${who} ${++added}`);
    return place === undefined ? [...lines] : lines.toSpliced(place + 1, 0, ...comments);
  };
});

const addingAnExport = fc.constant<Edit>((lines, who) => {
  const number = ++added;
  return [...lines, "", `export const ${who}${number} = ${number};`];
});

const deletingAComment = share.map((share): Edit => {
  return (lines) => {
    const place = chosen(
      indexes(lines, (line) => /^\s*\/\/ (?!@|biome|yours|ours)/.test(line)),
      share,
    );
    return place === undefined ? [...lines] : lines.toSpliced(place, 1);
  };
});

/** Functions can stand in any order. */
const movingAFunction = share.map((share): Edit => {
  return (lines) => {
    const start = chosen(
      indexes(lines, (line) => /^(export )?(async )?function \w+\(/.test(line)),
      share,
    );
    if (start === undefined) return [...lines];
    const end = lines.indexOf("}", start);
    const isDocumented = /^( \*\/|\/\*\*|\/\/)/.test(lines[start - 1] ?? "");
    if (end < 0 || isDocumented) return [...lines];
    const block = lines.slice(start, end + 1);
    return [...lines.toSpliced(start, block.length), "", ...block];
  };
});

export const validEdits = fc.array(fc.oneof(addingComments, addingAnExport, deletingAComment, movingAFunction), {
  minLength: 1,
  maxLength: 4,
});

/** What both sides move would be there twice, in two places, as with any merge by lines. */
export const ourValidEdits = fc.array(fc.oneof(addingComments, addingAnExport, deletingAComment), {
  minLength: 1,
  maxLength: 4,
});
