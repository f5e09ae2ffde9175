// Sets compiler options in a tsconfig.json and leaves all else in it as it is, comments included.
// Change it when an option has to be set in another way.
import type { Edit } from "./edits.ts";
import { applyEdits, indentationAt, lineEndOf } from "./edits.ts";
import type { Parse, SyntaxNode } from "./syntax.ts";
import { bare, child, children, textOf } from "./syntax.ts";

export interface CompilerOption {
  name: string;
  value: string | string[];
}

/** The file's new text; undefined where it has no "compilerOptions", or can't be read. */
export function withOptions(text: string, options: readonly CompilerOption[], parse: Parse): string | undefined {
  const { compilerOptions, prefix } = read(text, parse);
  if (compilerOptions === undefined) return undefined;
  const edits: Edit[] = [];
  for (const { name, value } of options) {
    const there = child(property(compilerOptions, name), "value");
    const json = JSON.stringify(value).replaceAll('","', '", "');
    if (there !== undefined) edits.push({ start: there.start - prefix, end: there.end - prefix, text: json });
    else edits.push(asFirst(text, compilerOptions, prefix, `"${name}": ${json}`));
  }
  return applyEdits(text, edits);
}

/** The options that the file itself sets: texts, truth values and lists of texts. */
export function optionsIn(text: string, parse: Parse): Record<string, unknown> {
  const entries = children(read(text, parse).compilerOptions, "properties").map((one) => {
    const value = child(one, "value");
    const list = value?.type === "ArrayExpression" ? children(value, "elements").map(({ value }) => value) : undefined;
    return [textOf(child(one, "key")), list ?? value?.value];
  });
  return Object.fromEntries(entries);
}

/** `prefix`: by how much the offsets in the tree exceed those in the text. */
function read(text: string, parse: Parse): { compilerOptions: SyntaxNode | undefined; prefix: number } {
  const mark = text.startsWith("\ufeff") ? 1 : 0;
  // The brackets make an expression of it; they shift everything by one.
  const prefix = "(".length - mark;
  try {
    const program = parse(`(${text.slice(mark)}\n)`, "tsconfig.json");
    const expression = bare(child(children(program, "body")[0], "expression"));
    const compilerOptions = child(property(expression, "compilerOptions"), "value");
    return { compilerOptions: compilerOptions?.type === "ObjectExpression" ? compilerOptions : undefined, prefix };
  } catch (error) {
    if (error instanceof SyntaxError) return { compilerOptions: undefined, prefix };
    throw error;
  }
}

function property(object: SyntaxNode | undefined, name: string): SyntaxNode | undefined {
  return children(object, "properties").find((candidate) => textOf(child(candidate, "key")) === name);
}

function asFirst(text: string, object: SyntaxNode, prefix: number, line: string): Edit {
  const position = object.start - prefix + 1;
  const first = children(object, "properties")[0];
  const comma = first === undefined ? "" : ",";
  const isOneLine = !text.slice(position, object.end - prefix).includes("\n");
  if (isOneLine) return { start: position, end: position, text: ` ${line}${comma}` };
  const outer = indentationAt(text, object.start - prefix);
  const indentation = first === undefined ? `${outer}  ` : indentationAt(text, first.start - prefix);
  return { start: position, end: position, text: `${lineEndOf(text)}${indentation}${line}${comma}` };
}
