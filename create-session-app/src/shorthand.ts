// Reads the shorthand in which the build (../shorthand.ts) writes the archive: letters for frequent words, indentation left out.
// Change both together.

/** Letters that stand for words, two bytes each. */
export const FIRST_CODE = "\u0100";
export const LAST_CODE = "\u07ff";
/** Before a word that begins with a capital letter. */
export const CAPITAL = "\u0001";
/** Before a line that has all of its indentation. */
export const PLAIN = "\u0002";
/** Before a line that lies deeper, or less deep, than expected: by -8 to 7 levels. */
export const SHIFTS = Array.from({ length: 16 }, (_, index) => String.fromCharCode(0x10 + index));

export function fromShorthand(text: string, words: readonly string[]): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what the shorthand is written with.
  const written = text.replace(/\u0001?[\u0100-\u07ff]/g, (code) => {
    const word = words[code.charCodeAt(code.length - 1) - 0x100] ?? "";
    return code.length === 1 ? word : word.charAt(0).toUpperCase() + word.slice(1);
  });
  let depth = 0;
  let last = "";
  const lines = written.split("\n").map((line) => {
    if (line === "") return line;
    const shift = SHIFTS.indexOf(line.charAt(0));
    const isPlain = line.startsWith(PLAIN);
    const rest = shift >= 0 || isPlain ? line.slice(1) : line;
    if (isPlain) depth = levels(rest);
    else depth = nextDepth(depth, last, rest) + (shift < 0 ? 0 : shift - SHIFTS.length / 2);
    last = isPlain ? rest.slice(2 * depth) : rest;
    return "  ".repeat(depth) + last;
  });
  return lines.join("\n");
}

/** In levels of two spaces: deeper after a line that opens a bracket, less deep for one that closes it. */
export function nextDepth(depth: number, before: string, line: string): number {
  return depth + (/[{([]$/.test(before) ? 1 : 0) - (/^[})\]]/.test(line) ? 1 : 0);
}

export function levels(line: string): number {
  return Math.floor((/^ */.exec(line)?.[0].length ?? 0) / 2);
}
