// How a user has indented a text anew, so that new lines can be indented the same way.
// Change it when another style of indentation should be followed.
import type { Line } from "./lines.ts";

/** The indentation of one level in everything that is generated. */
const LEVEL = "  ";

/** Converts generated lines to the user's indentation of one level: tabs, four spaces. Without a clear one, lines stay as they are. */
export function indentationStyle(base: readonly Line[], yours: readonly Line[]): (lines: readonly Line[]) => Line[] {
  const level = mostFrequent(firstLevels(base, yours));
  if (level === undefined || level === LEVEL) return (lines) => [...lines];
  return (lines) =>
    lines.map(({ text, end }) => {
      const own = indentation(text);
      const levels = Math.floor(own.length / LEVEL.length);
      const converted = level.repeat(levels) + own.slice(levels * LEVEL.length) + text.slice(own.length);
      return { text: /^ *$/.test(own) ? converted : text, end };
    });
}

/** How the user's text indents the lines that stand one level deep in the base. */
function firstLevels(base: readonly Line[], yours: readonly Line[]): string[] {
  const generated = new Set(base.filter(({ text }) => indentation(text) === LEVEL).map(({ text }) => text.trim()));
  const deeper = new Set(base.filter(({ text }) => indentation(text) !== LEVEL).map(({ text }) => text.trim()));
  return yours
    .filter(({ text }) => generated.has(text.trim()) && !deeper.has(text.trim()))
    .map(({ text }) => indentation(text));
}

/** Undefined unless more than half of the values are the same. */
function mostFrequent(values: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].find(([, count]) => count * 2 > values.length)?.[0];
}

/**
 * Indents lines as examples show it, which are one line before and after each; the first that has an indentation decides.
 * Without one, lines stay as they are.
 */
export function indentationChange(
  examples: readonly (readonly [before: string, after: string])[],
): (line: string) => string {
  const known = examples.filter(([before, after]) => before.trim() !== "" && before.trim() === after.trim());
  const example = known.find(([before]) => indentation(before) !== "") ?? known[0];
  if (example === undefined) return (line) => line;
  const [from, to] = example.map(indentation) as [string, string];
  return (line) => {
    const own = indentation(line);
    if (line === own || from === to) return line;
    const rest = line.slice(own.length);
    if (own.startsWith(from)) return to + own.slice(from.length) + rest;
    return to.slice(0, Math.max(0, to.length - (from.length - own.length))) + rest;
  };
}

function indentation(line: string): string {
  return line.slice(0, line.length - line.trimStart().length);
}
