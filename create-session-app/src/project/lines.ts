// A text as lines that remember how they ended, so that a merge leaves line ends as they were.
// Change it when another kind of text must survive a merge.

export interface Line {
  text: string;
  /** Empty for a last line without a newline. */
  end: "\n" | "\r\n" | "";
}

/** Undefined for what isn't text: bytes that aren't UTF-8, or that hold a NUL. */
export function decodeText(content: Uint8Array): string | undefined {
  if (content.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return undefined;
  }
}

export function encodeText(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function splitLines(text: string): Line[] {
  const lines: Line[] = [];
  for (const [whole] of text.matchAll(/[^\n]*\n|[^\n]+$/g)) {
    const end = whole.endsWith("\r\n") ? "\r\n" : whole.endsWith("\n") ? "\n" : "";
    lines.push({ text: whole.slice(0, whole.length - end.length), end });
  }
  return lines;
}

/** How many lines the two texts share, wherever they stand. */
export function linesInCommon(one: Uint8Array, other: Uint8Array): number {
  const left = new Map<string, number>();
  for (const { text } of splitLines(decodeText(one) ?? "")) left.set(text, (left.get(text) ?? 0) + 1);
  return splitLines(decodeText(other) ?? "").filter(({ text }) => {
    const count = left.get(text) ?? 0;
    left.set(text, count - 1);
    return count > 0;
  }).length;
}

/** A line that lost its place at the end of the file gets the line end that the others have. */
export function joinLines(lines: readonly Line[], lineEnd: "\n" | "\r\n", newlineAtEnd: boolean): string {
  const parts = lines.map(({ text, end }, index) => {
    const last = index === lines.length - 1;
    return text + (last && !newlineAtEnd ? "" : end || lineEnd);
  });
  return parts.join("");
}

/** The line end of most lines; of a text without any, that of Unix. */
export function usualLineEnd(lines: readonly Line[]): "\n" | "\r\n" {
  const windows = lines.filter(({ end }) => end === "\r\n").length;
  return windows * 2 > lines.filter(({ end }) => end !== "").length ? "\r\n" : "\n";
}

/** The same text with the line ends of Unix and without a byte order mark: what it says, not how it is stored. */
export function plainText(text: string): string {
  return text.replace(/^\ufeff/, "").replaceAll("\r\n", "\n");
}
