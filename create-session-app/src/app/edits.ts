// Changes a text at places that a parser has found; all the rest stays as it is, byte for byte.
// Change it when inserted lines should follow another habit of the file.
import type { SyntaxNode } from "./syntax.ts";
import { walk } from "./syntax.ts";

export interface Edit {
  start: number;
  /** The same as `start` for an insertion. */
  end: number;
  text: string;
}

/** The edits must not overlap. Two insertions at one place keep their order. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = "";
  let position = 0;
  const inOrder = edits.toSorted((one, other) => one.start - other.start || one.end - other.end);
  for (const { start, end, text: inserted } of inOrder) {
    if (start < position) throw new Error("Two edits overlap.");
    result += text.slice(position, start) + inserted;
    position = end;
  }
  return result + text.slice(position);
}

/** Inserts lines after a statement, and after a comment on its line. */
export function linesAfter(text: string, statement: SyntaxNode, lines: readonly string[]): Edit {
  const rest = /^[ \t]*(?:\/\/[^\r\n]*|\/\*[^\r\n]*?\*\/[ \t]*)?(?=\r?\n|$)/.exec(text.slice(statement.end))?.[0] ?? "";
  const position = statement.end + rest.length;
  const end = lineEndOf(text);
  const inserted = lines.map((line) => `${end}${indentationAt(text, statement.start)}${line}`).join("");
  return { start: position, end: position, text: inserted };
}

/** Inserts lines before a statement. */
export function linesBefore(text: string, statement: SyntaxNode, lines: readonly string[]): Edit {
  const indentation = indentationAt(text, statement.start);
  const inserted = lines.map((line) => `${line}${lineEndOf(text)}${indentation}`).join("");
  return { start: statement.start, end: statement.start, text: inserted };
}

/** Removes a statement, and its line if nothing else is on it. */
export function withoutStatement(text: string, { start, end }: SyntaxNode): Edit {
  const isAlone = /(^|\n)[ \t]*$/.test(text.slice(0, start)) && /^[ \t]*(\r?\n|$)/.test(text.slice(end));
  if (!isAlone) return { start, end, text: "" };
  const lineStart = start - indentationAt(text, start).length;
  return { start: lineStart, end: end + (/^[ \t]*(\r?\n)?/.exec(text.slice(end))?.[0].length ?? 0), text: "" };
}

export function lineEndOf(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

export function indentationAt(text: string, position: number): string {
  return /^[ \t]*/.exec(text.slice(text.lastIndexOf("\n", position - 1) + 1, position))?.[0] ?? "";
}

/** How the file quotes, and whether it ends statements with a semicolon. */
export interface Habits {
  quote: string;
  semicolon: string;
}

export function habitsOf(text: string, program: SyntaxNode): Habits {
  const quotes = { "'": 0, '"': 0 };
  let statements = 0;
  let semicolons = 0;
  walk(program, (node) => {
    const first = text[node.start];
    if (node.type === "StringLiteral" && (first === "'" || first === '"')) quotes[first]++;
    if (!/^(ImportDeclaration|VariableDeclaration|ExpressionStatement)$/.test(node.type)) return;
    statements++;
    if (text[node.end - 1] === ";") semicolons++;
  });
  return { quote: quotes["'"] > quotes['"'] ? "'" : '"', semicolon: semicolons * 2 >= statements ? ";" : "" };
}
