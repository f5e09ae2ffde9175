// Merges three versions of .env.example by variable, commented-out ones included.
// Change it when variables are written another way.
import type { Entries, MergedEntries } from "./merge-entries.ts";
import { mergeEntryTexts } from "./merge-entries.ts";
import type { Labels, Sides } from "./merge-lines.ts";

const VARIABLE = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=/;
const COMMENTED_OUT = /^\s*# ?([A-Z_][A-Z0-9_]*)=/;

export function mergeEnvironment(texts: Sides<string>, labels: Labels): MergedEntries | undefined {
  return mergeEntryTexts(texts, parse, labels);
}

/** The variable that a line sets, or has commented out. */
export function variableOf(line: string): string | undefined {
  return (VARIABLE.exec(line) ?? COMMENTED_OUT.exec(line))?.[1];
}

function parse(lines: string[]): Entries | undefined {
  const entries: Entries = { indentation: "", head: [], byName: new Map(), tail: [] };
  let lead: string[] = [];
  for (const line of lines) {
    const name = variableOf(line);
    if (name === undefined) {
      lead.push(line);
      continue;
    }
    if (entries.byName.has(name)) return undefined;
    if (entries.byName.size === 0) entries.head = lead.splice(0, lead.lastIndexOf("") + 1);
    entries.byName.set(name, { lead, lines: [line] });
    lead = [];
  }
  return { ...entries, tail: lead };
}
