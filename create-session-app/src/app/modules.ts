// What a file imports from elsewhere, by import or by require, and which file a relative path leads to.
// Change it when modules can be imported in another way.
import { posix } from "node:path";
import type { SyntaxNode } from "./syntax.ts";
import { child, children, nameOf, propertyOf, requiredBy, textOf, walk } from "./syntax.ts";

/** Text of a file by its path below the app's folder; undefined: there is none. */
export type ReadText = (path: string) => string | undefined;

const EXTENSIONS = [".ts", ".tsx", ".mts", ".cts", ".js", ".mjs", ".cjs", ".jsx"];

/** Returns the file that a path in a script or an import leads to. */
export function resolveFile(path: string, read: ReadText): string | undefined {
  const normal = posix.normalize(path).replace(/\/$/, "");
  const source = normal.replace(/\.([cm]?)jsx?$/, ".$1ts");
  const endings = EXTENSIONS.flatMap((extension) => [`${normal}${extension}`, posix.join(normal, `index${extension}`)]);
  return [normal, source, ...endings].find((candidate) => !candidate.startsWith("..") && read(candidate) !== undefined);
}

/** Returns all that the file imports or requires, in the order of its text. */
export function importsOf(program: SyntaxNode): string[] {
  const found: string[] = [];
  walk(program, (node) => {
    const source = child(node, "source") ?? (node.type === "CallExpression" ? dynamicImport(node) : undefined);
    const named = source?.type === "StringLiteral" ? String(source.value) : (requiredBy(node) ?? importEquals(node));
    if (named !== undefined) found.push(named);
  });
  return found;
}

function dynamicImport(call: SyntaxNode): SyntaxNode | undefined {
  return child(call, "callee")?.type === "Import" ? children(call, "arguments")[0] : undefined;
}

function importEquals(node: SyntaxNode): string | undefined {
  if (node.type !== "TSImportEqualsDeclaration") return undefined;
  return textOf(child(child(node, "moduleReference"), "expression"));
}

/** Returns the names that a package's exports have in this file. "default" is the package itself in CommonJS. */
export function bindingsOf(program: SyntaxNode, packageName: string): Map<string, string> {
  const bindings = new Map<string, string>();
  const isIt = (name: string | undefined) => name === packageName || `node:${name}` === packageName;
  const bind = (target: SyntaxNode | undefined, exported: string) => {
    const name = nameOf(target);
    if (name !== undefined) bindings.set(name, exported);
    for (const property of target?.type === "ObjectPattern" ? children(target, "properties") : []) {
      bind(child(property, "value"), textOf(child(property, "key")) ?? "");
    }
  };
  for (const statement of children(program, "body")) {
    if (statement.type === "ImportDeclaration" && isIt(textOf(child(statement, "source")))) {
      for (const specifier of children(statement, "specifiers")) {
        const exported = specifier.type === "ImportSpecifier" ? textOf(child(specifier, "imported")) : "default";
        bind(child(specifier, "local"), exported ?? "");
      }
    }
    if (isIt(importEquals(statement))) bind(child(statement, "id"), "default");
    for (const declarator of statement.type === "VariableDeclaration" ? children(statement, "declarations") : []) {
      const init = child(declarator, "init");
      const property = propertyOf(init);
      if (isIt(requiredBy(init))) bind(child(declarator, "id"), "default");
      else if (property !== undefined && isIt(requiredBy(child(init, "object"))))
        bind(child(declarator, "id"), property);
    }
  }
  return bindings;
}

/** Returns the name of the package's export that is called, or undefined where it is none of the package's. */
export function exportCalled(
  callee: SyntaxNode | undefined,
  packageName: string,
  bindings: ReadonlyMap<string, string>,
): string | undefined {
  const name = nameOf(callee);
  if (name !== undefined) return bindings.get(name);
  const isRequired = (node: SyntaxNode | undefined) =>
    [packageName, packageName.replace(/^node:/, "")].includes(requiredBy(node) ?? "");
  if (isRequired(callee)) return "default";
  const object = child(callee, "object");
  const isPackage = bindings.get(nameOf(object) ?? "") === "default" || isRequired(object);
  return isPackage ? propertyOf(callee) : undefined;
}
