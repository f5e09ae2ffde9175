// Writes texts so that Brotli makes less of them: 7 % less than of the texts as they are. shorthand.wat reads them again.
// Change both together; test/generator/shorthand.test.ts holds them to each other.
import { readFileSync } from "node:fs";
import wabt from "wabt";

/** Letters that stand for words: all that take two bytes but the first 128. */
const FIRST_CODE = "\u0100";
const LAST_CODE = "\u07ff";
/** Before a word that begins with a capital letter. */
const CAPITAL = "\u0001";
/** Before a line that has all of its indentation. */
const PLAIN = "\u0002";
/** Before a line that lies deeper, or less deep, than expected: by -8 to 7 levels. */
const SHIFTS = Array.from({ length: 16 }, (_, index) => String.fromCharCode(0x10 + index));

/** Parts of names too: readSessionId is read, Session and Id. */
const WORD = /[A-Z]?[a-z]+|[A-Z]+(?![a-z])/g;

/** What is written more seldom, or is shorter, costs more in the list of words than it saves. */
const OFTEN = 7;
const LONG = 2;
/** In bytes; the reader reckons with it. */
const LONGEST = 32;

/** Shortest first, then most frequent. A letter that is used as a code, and stands in a text, is a word itself. */
export function frequentWords(texts: readonly string[]): string[] {
  const counts = new Map<string, number>();
  const letters = new Set<string>();
  for (const text of texts) {
    for (const [word] of text.matchAll(WORD))
      counts.set(uncapitalised(word), (counts.get(uncapitalised(word)) ?? 0) + 1);
    for (const letter of text) if (letter >= FIRST_CODE && letter <= LAST_CODE) letters.add(letter);
  }
  const room = LAST_CODE.charCodeAt(0) - FIRST_CODE.charCodeAt(0) + 1 - letters.size;
  const words = [...counts].filter(([word, count]) => count >= OFTEN && word.length >= LONG && word.length <= LONGEST);
  words.sort(([a, often], [b, seldom]) => seldom - often || (a < b ? -1 : 1));
  const chosen = [...letters, ...words.slice(0, room).map(([word]) => word)];
  return chosen.sort((a, b) => Buffer.byteLength(a) - Buffer.byteLength(b));
}

/** How many words there are of each length in bytes, from 0 on. */
export function countLengths(words: readonly string[]): number[] {
  const counts = Array<number>(LONGEST + 1).fill(0);
  for (const word of words) counts[Buffer.byteLength(word)] = (counts[Buffer.byteLength(word)] ?? 0) + 1;
  return counts;
}

export function toShorthand(text: string, words: readonly string[]): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what the shorthand is written with.
  const own = /[\u0000-\u0008\u000b-\u001f]/.exec(text);
  if (own !== null) throw new Error(`A control character at ${own.index} in ${JSON.stringify(text.slice(0, 60))}.`);
  const codes = new Map(words.map((word, index) => [word, String.fromCharCode(FIRST_CODE.charCodeAt(0) + index)]));
  const found = new RegExp(`[${FIRST_CODE}-${LAST_CODE}]|${WORD.source}`, "g");
  return withoutIndentation(text).replace(found, (word) => {
    const code = codes.get(word);
    if (code !== undefined) return code;
    const small = codes.get(uncapitalised(word));
    return small === undefined ? word : CAPITAL + small;
  });
}

/** Only by how much a line's depth differs from what the line before it leads to expect. */
function withoutIndentation(text: string): string {
  let depth = 0;
  let last = "";
  const lines = text.split("\n").map((line) => {
    if (line === "") return line;
    const before = { depth, last };
    depth = Math.floor((/^ */.exec(line)?.[0].length ?? 0) / 2);
    last = line.slice(2 * depth);
    const expected = before.depth + Number(/[{([]$/.test(before.last)) - Number(/^[})\]]/.test(last));
    if (last !== "" && depth === expected) return last;
    const shift = SHIFTS[depth - expected + SHIFTS.length / 2];
    return last === "" || shift === undefined ? PLAIN + line : shift + last;
  });
  return lines.join("\n");
}

function uncapitalised(word: string): string {
  return /^[A-Z][a-z]/.test(word) ? word.charAt(0).toLowerCase() + word.slice(1) : word;
}

/** The program that reads it, as WebAssembly. */
export async function compileReader(): Promise<Uint8Array<ArrayBuffer>> {
  const { parseWat } = await wabt();
  const file = new URL("shorthand.wat", import.meta.url);
  const module = parseWat(file.pathname, readFileSync(file, "utf8"), { bulk_memory: true });
  return new Uint8Array(module.toBinary({}).buffer);
}
