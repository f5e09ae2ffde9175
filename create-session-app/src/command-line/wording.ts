// How foreign text is put into a sentence: quoted so that it can't play tricks on a terminal, and with the nearest known word.
// Change it to phrase "did you mean" otherwise.
import { wrongUsage } from "./failure.ts";

// C0 and C1 controls, and the marks that reverse or hide text: they'd let a name rewrite the terminal's line.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
const TREACHEROUS = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** True for text that a terminal wouldn't show as it is. */
export function isTreacherous(text: string): boolean {
  return text.search(TREACHEROUS) >= 0;
}

/** Text in double quotes, with what a terminal wouldn't show written as escapes, and cut when it is very long and no path. */
export function quoted(text: string): string {
  const short = text.length > 80 && !/[\\/]/.test(text) ? `${text.slice(0, 77)}...` : text;
  const escaped = short.replace(TREACHEROUS, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return `"${escaped}"`;
}

/** "a, b or c" */
export function oneOf(words: readonly string[], conjunction = "or"): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} ${conjunction} ${words.at(-1)}`;
}

/** A clause as a sentence of its own: with a capital and a full stop. */
export function sentence(clause: string): string {
  return `${clause[0]?.toUpperCase()}${clause.slice(1)}.`;
}

/** The one of `known` that `word` is, or a failure that lists them. */
export function choose<Known extends string>(what: string, word: string, known: readonly Known[]): Known {
  const found = known.find((candidate) => candidate === word);
  if (found !== undefined) return found;
  const meant = nearest(word, known);
  const hint = meant === undefined ? "" : ` Did you mean ${quoted(meant)}?`;
  throw wrongUsage(`Unknown ${what} ${quoted(word)}${lookAlikeHint(word)}.${hint} There is ${oneOf(known, "and")}.`, {
    known,
    ...(meant === undefined ? {} : { meant }),
  });
}

/** The known word that was probably meant, or undefined. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const typed = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = 3;
  for (const candidate of known) {
    if (typed === candidate) return candidate;
    const distance = editDistance(typed, candidate);
    if (distance < bestDistance && distance < Math.max(candidate.length, 3) - 1) {
      best = candidate;
      bestDistance = distance;
    }
  }
  if (best !== undefined || typed.length < 3) return best;
  return known.find((candidate) => candidate.startsWith(typed) || typed.startsWith(candidate));
}

/** A letter that looks like another one is named by its code point, or the message would seem to contradict itself. */
export function lookAlikeHint(word: string): string {
  const foreign = [...word].filter((letter) => letter > "~");
  if (foreign.length === 0) return "";
  const points = [...new Set(foreign)].slice(0, 3).map((letter) => `U+${hex(letter)}`);
  return ` (it contains ${points.join(", ")})`;
}

function hex(letter: string): string {
  return (letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}

/** Edits to get from one word to another; two neighbours swapped count as one edit. */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (row > 1 && column > 1 && swapped) cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
}
