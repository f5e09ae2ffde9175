// Merges three versions of compose.yaml by the keys of its mappings. Lists and scalars count as one value each.
// It reads block mappings by their indentation, which is all that compose files are made of, and leaves every line as it is
// written; anything else (flow mappings over several lines, several documents) is merged by lines. A YAML library would take
// a fifth of what the package may weigh.
import type { Entries, Entry, MergedEntries } from "./merge-entries.ts";
import { mergeEntryTexts } from "./merge-entries.ts";
import type { Labels, Sides } from "./merge-lines.ts";

const KEY = /^("[^"]*"|'[^']*'|[^\s#:"'?&*!|>%@`{}[\],-][^:#]*?)\s*:(?=\s|$)/;
const NO_VALUE = /:\s*(#.*)?$/;

export function mergeCompose(texts: Sides<string>, labels: Labels): MergedEntries | undefined {
  return mergeEntryTexts(
    texts,
    (lines) => (lines.some((line) => /^\s*\t/.test(line)) ? undefined : parse(lines, 0)),
    labels,
  );
}

/** Undefined for anything but a block mapping with that many spaces before its keys. */
function parse(lines: readonly string[], outer: number): Entries | undefined {
  const first = lines.find((line) => !isFiller(line));
  if (first === undefined) return undefined;
  const width = indentationOf(first);
  const entries: Entries = { indentation: " ".repeat(width - outer), head: [], byName: new Map(), tail: [] };
  let current: { header: string; body: string[]; entry: Entry } | undefined;
  let filler: string[] = [];
  const finish = () => {
    if (current) completeEntry(current, width);
  };
  for (const line of lines) {
    if (isFiller(line)) {
      filler.push(line);
      continue;
    }
    const indentation = indentationOf(line);
    const isItem = indentation === width && /^-(\s|$)/.test(line.trim());
    if (current && (indentation > width || isItem)) {
      current.body.push(...filler, line);
      filler = [];
      continue;
    }
    const name = indentation === width ? KEY.exec(line.trim())?.[1] : undefined;
    if (name === undefined || entries.byName.has(name)) return undefined;
    finish();
    const entry: Entry = { lead: filler.map((text) => text.slice(Math.min(width, indentationOf(text)))), lines: [] };
    current = { header: line.trim(), body: [], entry };
    entries.byName.set(name, entry);
    filler = [];
  }
  finish();
  return { ...entries, tail: filler.map((text) => text.slice(Math.min(width, indentationOf(text)))) };
}

function completeEntry({ header, body, entry }: { header: string; body: string[]; entry: Entry }, width: number): void {
  const inner = NO_VALUE.test(header) ? parse(body, width) : undefined;
  entry.lines = inner ? [header] : [header, ...body.map((line) => line.slice(Math.min(width, indentationOf(line))))];
  if (inner) entry.inner = inner;
}

/** Lines without content, which belong to what follows. */
function isFiller(line: string): boolean {
  return /^\s*(#|$)/.test(line);
}

function indentationOf(line: string): number {
  return line.length - line.trimStart().length;
}
