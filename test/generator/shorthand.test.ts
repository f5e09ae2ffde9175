// The archive's shorthand: whatever is written comes back as it was.
// Change it when the shorthand learns another abbreviation.
import fc from "fast-check";
import { expect, test } from "vitest";
import { compileReader, countLengths, frequentWords, toShorthand } from "../../create-session-app/shorthand.ts";
import { Shorthand } from "../../create-session-app/src/shorthand.ts";

const reader = await compileReader();
const WORDS = ["session", "Session", "readSessionId", "HTTP", "HTTPServer", "a", "ĀĂ", "ж", "߿", "é", "😀"];
const MARKS = ["{", "}", "(", "]", " ", "  ", "   ", "\n", "\n\n", "\t", ";", `"`];

test("C12: any text comes back from the shorthand, letter by letter", () => {
  const piece = fc.oneof(fc.constantFrom(...WORDS, ...MARKS), fc.string({ maxLength: 5, unit: "grapheme" }));
  const text = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join("").replace(CONTROLS, ""));
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), (texts) => {
      const words = frequentWords(texts.flatMap((one) => Array(8).fill(one)));
      for (const one of texts) expect(read(toShorthand(one, words), words)).toBe(one);
    }),
    { numRuns: 3000 },
  );
});

test("C12: deep and sudden indentation comes back", () => {
  const lines = [0, 40, 0, 3, 17, 1, 64, 2].map((spaces) => `${" ".repeat(spaces)}x`);
  const text = `${lines.join("\n")}\n      \n   * y\n`;
  expect(read(toShorthand(text, []), [])).toBe(text);
});

test("C12: a text with the shorthand's own marks stops the build, and is named", () => {
  expect(() => toShorthand("a\u0001b", [])).toThrow(/control character at 1 in "a/);
});

function read(text: string, words: string[]): string {
  return new Shorthand(reader, Buffer.from(words.join("")), countLengths(words)).read(Buffer.from(text)).toString();
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: texts have none of them.
const CONTROLS = /[\u0000-\u0008\u000b-\u001f]/g;
