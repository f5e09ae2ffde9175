// Merges three versions of a text that consists of named entries: variables, or the keys of a YAML mapping.
// What the user has set, moved, added or removed stays as it is. merge-environment.ts and merge-compose.ts find the entries.

import type { Labels, Sides } from "./merge-lines.ts";
import { withAdded } from "./order.ts";

export interface Entry {
  /** Comments and empty lines between the entry before and this one. */
  lead: string[];
  /** The entry's own lines; of an entry with `inner` the first line only. */
  lines: string[];
  inner?: Entries;
}

/** Lines are held without the indentation of the entries that they belong to. */
export interface Entries {
  /** Beyond that of the entry that these are in. */
  indentation: string;
  /** What stands before the first entry and doesn't belong to it. */
  head: string[];
  byName: Map<string, Entry>;
  tail: string[];
}

export interface MergedEntries {
  text: string;
  /** Whole sentences: where the user's setting was kept although the new version has another one. */
  notes: string[];
}

/** Undefined where `parse` doesn't understand one of the texts, or where line ends are mixed: then it has to be merged by lines. */
export function mergeEntryTexts(
  texts: Sides<string>,
  parse: (lines: string[]) => Entries | undefined,
  labels: Labels,
): MergedEntries | undefined {
  const windows = texts.yours.includes("\r\n");
  if (windows && /(^|[^\r])\n/.test(texts.yours)) return undefined;
  const read = (text: string) => parse(text.replaceAll("\r\n", "\n").replace(/\n$/, "").split("\n"));
  const base = read(texts.base);
  const yours = read(texts.yours);
  const ours = read(texts.ours);
  if (base === undefined || yours === undefined || ours === undefined) return undefined;

  const notes: string[] = [];
  const merged = mergeEntries({ base, yours, ours }, [], (note) => notes.push(note), labels);
  if (comparable(merged) === comparable(yours)) return { text: texts.yours, notes };
  const text = entryLines(merged).join("\n") + (texts.yours.endsWith("\n") ? "\n" : "");
  return { text: windows ? text.replaceAll("\n", "\r\n") : text, notes };
}

type Note = (note: string) => void;

function mergeEntries(sides: Sides<Entries>, path: readonly string[], note: Note, labels: Labels): Entries {
  const { base, yours, ours } = sides;
  const byName = new Map<string, Entry>();
  let afterOrphan = false;
  for (const name of withAdded([...yours.byName.keys()], [...ours.byName.keys()])) {
    const versions = { base: base.byName.get(name), yours: yours.byName.get(name), ours: ours.byName.get(name) };
    // In ours, a heading has moved to the next entry; here it still stands over the one that stays.
    if (afterOrphan && versions.base && versions.ours) versions.ours = { ...versions.ours, lead: versions.base.lead };
    const entry = mergeEntry(versions, [...path, name], note, labels);
    if (entry) byName.set(name, entry);
    afterOrphan = entry !== undefined && versions.base !== undefined && versions.ours === undefined;
  }
  return {
    indentation: yours.indentation,
    head: choose({ base: base.head, yours: yours.head, ours: ours.head }),
    byName,
    tail: choose({ base: base.tail, yours: yours.tail, ours: ours.tail }),
  };
}

function mergeEntry(
  sides: Sides<Entry | undefined>,
  path: readonly string[],
  note: Note,
  labels: Labels,
): Entry | undefined {
  const { base, yours, ours } = sides;
  if (yours?.inner && ours?.inner) {
    const inBase = base?.inner ?? { indentation: "", head: [], byName: new Map(), tail: [] };
    return {
      lead: choose({ base: base?.lead, yours: yours.lead, ours: ours.lead }),
      lines: choose({ base: base?.lines, yours: yours.lines, ours: ours.lines }),
      inner: mergeEntries({ base: inBase, yours: yours.inner, ours: ours.inner }, path, note, labels),
    };
  }
  if (comparable(ours) === comparable(base) || comparable(yours) === comparable(ours)) return yours;
  if (comparable(yours) === comparable(base)) return ours;
  const place = path.join(" > ");
  if (yours === undefined) {
    note(`${place} stays removed; ${labels.ours} has changed it.`);
    return undefined;
  }
  if (ours === undefined) {
    note(`${place} stays as you have it; ${labels.ours} no longer has it.`);
    return yours;
  }
  const lead = choose({ base: base?.lead, yours: yours.lead, ours: ours.lead });
  const value = choose({ base: base && withoutLead(base), yours: withoutLead(yours), ours: withoutLead(ours) });
  if (
    comparable(value) !== comparable(withoutLead(ours)) &&
    comparable(base && withoutLead(base)) !== comparable(withoutLead(ours))
  ) {
    note(`${place} stays as you have it; ${labels.ours} has ${shown(ours)}.`);
  }
  return { ...value, lead };
}

/** Ours where the user has changed nothing, else the user's. */
function choose<T extends Entry | string[] | undefined>({
  base,
  yours,
  ours,
}: {
  base: T | undefined;
  yours: T;
  ours: T;
}): T {
  return comparable(yours) === comparable(base) ? ours : yours;
}

function withoutLead(entry: Entry): Entry {
  return { ...entry, lead: [] };
}

/** Equal for entries that differ in their indentation only. */
function comparable(value: Entry | Entries | string[] | undefined): string {
  return JSON.stringify(value, (key, part) => {
    if (key === "indentation") return undefined;
    if (part instanceof Map) return [...part];
    return typeof part === "string" ? part.trim() : part;
  });
}

function shown({ lines, inner }: Entry): string {
  return [...lines, ...(inner ? entryLines(inner) : [])].map((line) => line.trim()).join(" ");
}

function entryLines({ byName, head, tail, indentation }: Entries): string[] {
  const own = [...byName.values()].flatMap(({ lead, lines, inner }) => [
    ...lead,
    ...lines,
    ...(inner ? entryLines(inner) : []),
  ]);
  return [...head, ...own, ...tail].map((line) => (line === "" ? line : indentation + line));
}
