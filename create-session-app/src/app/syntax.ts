// Syntax trees as @babel/parser makes them: only what is looked at here.
// Change it when another kind of file has to be parsed.

export interface SyntaxNode {
  type: string;
  /** Offsets in the text. */
  start: number;
  end: number;
  loc: { start: { line: number } };
  [key: string]: unknown;
}

/** Throws where the text isn't what the file's name says. */
export type Parse = (text: string, path: string) => SyntaxNode;

/** The part of @babel/parser, 7 or 8, that is used. */
export interface BabelParser {
  parse(text: string, options: object): SyntaxNode;
}

export function parseWith(parser: BabelParser): Parse {
  return (text, path) => {
    const typescript = /\.[cm]?tsx?$/.test(path);
    const jsx = /\.([cm]?jsx?|tsx)$/.test(path);
    const plugins = [...(typescript ? ["typescript"] : []), ...(jsx ? ["jsx"] : []), "decorators-legacy"];
    const options = { sourceType: "unambiguous", allowReturnOutsideFunction: true, plugins };
    return child(parser.parse(text, options), "program") as SyntaxNode;
  };
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && typeof (value as SyntaxNode).type === "string";
}

export function child(node: SyntaxNode | undefined, key: string): SyntaxNode | undefined {
  const value = node?.[key];
  return isNode(value) ? value : undefined;
}

export function children(node: SyntaxNode | undefined, key: string): SyntaxNode[] {
  const value = node?.[key];
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/** Calls `look` for a node and all below it, with what they are in, outermost first. */
export function walk(
  node: SyntaxNode,
  look: (node: SyntaxNode, parents: readonly SyntaxNode[]) => void,
  parents: readonly SyntaxNode[] = [],
): void {
  look(node, parents);
  const inside = [...parents, node];
  for (const [key, value] of Object.entries(node)) {
    if (key === "loc" || key.endsWith("Comments")) continue;
    for (const item of Array.isArray(value) ? value : [value]) if (isNode(item)) walk(item, look, inside);
  }
}

/** Returns the name of an identifier. */
export function nameOf(node: SyntaxNode | undefined): string | undefined {
  return node?.type === "Identifier" || node?.type === "PrivateName" ? String(node.name) : undefined;
}

/** Returns the name of a property or an export, which may be written in quotes, or the text of another literal. */
export function textOf(node: SyntaxNode | undefined): string | undefined {
  return node?.type === "StringLiteral" ? String(node.value) : nameOf(node);
}

/** The name of the property that a member expression takes. */
export function propertyOf(node: SyntaxNode | undefined): string | undefined {
  if (node?.type !== "MemberExpression" && node?.type !== "OptionalMemberExpression") return undefined;
  const property = child(node, "property");
  return node.computed === true && property?.type === "Identifier" ? undefined : textOf(property);
}

/** The package or file that `require("x")` asks for. */
export function requiredBy(node: SyntaxNode | undefined): string | undefined {
  if (node?.type !== "CallExpression" || nameOf(child(node, "callee")) !== "require") return undefined;
  const [argument] = children(node, "arguments");
  return argument?.type === "StringLiteral" ? String(argument.value) : undefined;
}

/** An expression without what only TypeScript reads, and without `await`. */
export function bare(node: SyntaxNode | undefined): SyntaxNode | undefined {
  const wrapped = [
    "TSAsExpression",
    "TSSatisfiesExpression",
    "TSNonNullExpression",
    "TSTypeAssertion",
    "ParenthesizedExpression",
  ];
  if (node?.type === "AwaitExpression") return bare(child(node, "argument"));
  return node !== undefined && wrapped.includes(node.type) ? bare(child(node, "expression")) : node;
}

/** Whether an identifier stands for a binding: the name of a property doesn't. */
export function isReference(node: SyntaxNode, parent: SyntaxNode | undefined): boolean {
  if (node.type !== "Identifier") return false;
  if (child(parent, "property") === node && propertyOf(parent) !== undefined) return false;
  return !(parent?.type === "ObjectProperty" && child(parent, "key") === node && parent.shorthand !== true);
}
