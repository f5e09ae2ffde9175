// Merges three versions of one file that both sides have changed, each kind of file in the way that suits it.
// Change it when another kind of file should be merged by its structure.
import type { Line } from "./lines.ts";
import { decodeText, encodeText, plainText } from "./lines.ts";
import { mergeCompose } from "./merge-compose.ts";
import { mergeEnvironment } from "./merge-environment.ts";
import type { Labels, Sides } from "./merge-lines.ts";
import { mergeLines } from "./merge-lines.ts";
import { mergeManifest } from "./merge-manifest.ts";

export interface MergedFileContent {
  content: Uint8Array;
  conflicts: number;
  /** Whole sentences about settings of the user's that were kept. */
  notes: string[];
}

/** Code, where indentation says nothing. */
const FREELY_INDENTED = /\.([cm]?[jt]sx?|css|html|json|sql)$/;
/** Files that are lists of lines: what both have added is kept. */
const LIST = /(^|\/)\.(gitignore|dockerignore|gitattributes|npmignore)$/;

/** The base is undefined where both sides have added the file. */
export interface Contents {
  base: Uint8Array | undefined;
  yours: Uint8Array;
  ours: Uint8Array;
}

/** Undefined for bytes that aren't text. */
export function mergeFile(path: string, contents: Contents, labels: Labels): MergedFileContent | undefined {
  const base = contents.base === undefined ? "" : decodeText(contents.base);
  const yours = decodeText(contents.yours);
  const ours = decodeText(contents.ours);
  if (base === undefined || yours === undefined || ours === undefined) return undefined;
  const mark = yours.startsWith("\ufeff") ? "\ufeff" : "";
  const texts = { base: plainText(base), yours: yours.slice(mark.length), ours: plainText(ours) };
  const structural = mergeByStructure(path, texts, labels);
  if (structural) return { content: encodeText(mark + structural.text), conflicts: 0, notes: structural.notes };
  const { text, conflicts } = mergeLines(texts, labels, {
    ignoreIndentation: FREELY_INDENTED.test(path),
    settle: LIST.test(path) ? keepBoth : undefined,
  });
  return { content: encodeText(mark + text), conflicts, notes: [] };
}

/** True where the user's file says what the other one says: line ends and a byte order mark don't count. */
export function saysTheSame(one: Uint8Array, other: Uint8Array): boolean {
  if (Buffer.compare(one, other) === 0) return true;
  const [text, otherText] = [decodeText(one), decodeText(other)];
  return text !== undefined && otherText !== undefined && plainText(text) === plainText(otherText);
}

/** This version's content with the line ends and the byte order mark of the user's file, which says what the base says. */
export function storedLike(yours: Uint8Array, { base, ours }: { base: Uint8Array; ours: Uint8Array }): Uint8Array {
  if (Buffer.compare(yours, base) === 0) return ours;
  const [text, baseText, ourText] = [decodeText(yours), decodeText(base), decodeText(ours)];
  if (text === undefined || baseText === undefined || ourText === undefined) return ours;
  const mark = text.startsWith("\ufeff") ? "\ufeff" : "";
  const texts = { base: plainText(baseText), yours: text.slice(mark.length), ours: plainText(ourText) };
  return encodeText(mark + mergeLines(texts, { yours: "", ours: "" }).text);
}

function mergeByStructure(
  path: string,
  texts: Sides<string>,
  labels: Labels,
): { text: string; notes: string[] } | undefined {
  if (path === "package.json") return mergeManifest({ ...texts, base: texts.base || "{}" }, labels);
  if (texts.base === "") return undefined;
  if (path === ".env.example") return mergeEnvironment(texts, labels);
  if (/^(docker-)?compose\.ya?ml$/.test(path)) return mergeCompose(texts, labels);
  return undefined;
}

function keepBoth({ base, yours, ours }: Sides<Line[]>): Line[] {
  const known = new Set([...base, ...yours].map(({ text }) => text));
  return [...yours, ...ours.filter(({ text }) => !known.has(text))];
}
