// Turns a Handlebars template into the parts that src/template.ts fills in, at build time.
// Change both when a template needs more of Handlebars; what isn't understood stops the build.
import handlebars from "handlebars";
import type { Part, Path } from "./src/template.ts";

type Node = hbs.AST.Node;

/** Handlebars' parser also settles which line breaks around a block belong to it. */
export function prepareTemplate(text: string): Part[] {
  return statements(handlebars.parse(text));
}

function statements(program: hbs.AST.Program | undefined): Part[] {
  return (program?.body ?? []).flatMap(statement);
}

function statement(node: Node): Part[] {
  switch (node.type) {
    case "ContentStatement":
      return [(node as hbs.AST.ContentStatement).value];
    case "CommentStatement":
      return [];
    case "MustacheStatement":
      return [value(node as hbs.AST.MustacheStatement)];
    case "BlockStatement":
      return [block(node as hbs.AST.BlockStatement)];
    default:
      throw misunderstood(node);
  }
}

function block(node: hbs.AST.BlockStatement): Part {
  const [parameter] = node.params;
  if (parameter === undefined || node.params.length > 1 || node.program?.blockParams) throw misunderstood(node);
  const [, what] = expression(parameter);
  const body = statements(node.program);
  const otherwise = statements(node.inverse);
  switch (name(node.path)) {
    case "if":
      return ["if", what, body, otherwise];
    case "unless":
      return ["if", what, otherwise, body];
    case "each":
      return ["each", what, body, otherwise];
    default:
      throw misunderstood(node);
  }
}

function value(node: hbs.AST.MustacheStatement): ["value" | "optional", Path] {
  if (node.params.length === 0) return expression(node.path);
  return lookup(node);
}

function expression(node: Node): ["value" | "optional", Path] {
  if (node.type === "SubExpression") return lookup(node as hbs.AST.SubExpression);
  if (node.type !== "PathExpression") throw misunderstood(node);
  const { data, depth, parts } = node as hbs.AST.PathExpression;
  if (data) throw misunderstood(node);
  return ["value", [depth, ...parts]];
}

/** `lookup` with a fixed name is how a template asks for something that may be missing. */
function lookup(node: hbs.AST.MustacheStatement | hbs.AST.SubExpression): ["optional", Path] {
  const [from, key] = node.params;
  if (name(node.path) !== "lookup" || from === undefined || key?.type !== "StringLiteral") throw misunderstood(node);
  const [, path] = expression(from);
  return ["optional", [...path, (key as hbs.AST.StringLiteral).value]];
}

function name(node: Node): string {
  return node.type === "PathExpression" ? (node as hbs.AST.PathExpression).original : "";
}

function misunderstood(node: Node): Error {
  const { line, column } = node.loc.start;
  return new Error(`Line ${line}, column ${column}: src/template.ts doesn't know this ${node.type}.`);
}
