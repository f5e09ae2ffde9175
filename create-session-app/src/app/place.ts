// Finds the one place in an app where sessions are to be mounted, or says why it isn't certain.
// Change it when apps with a framework are made in another way.
import type { AddRules } from "../packs/catalog.ts";
import type { SourceFile } from "./entry.ts";
import { bindingsOf, exportCalled } from "./modules.ts";
import type { SyntaxNode } from "./syntax.ts";
import { bare, child, children, nameOf, propertyOf, walk } from "./syntax.ts";

export interface Place {
  file: SourceFile;
  line: number;
  /** The statement of the file's top level that makes the app, or exports the function that is given it. */
  statement: SyntaxNode;
  /** The app's variable; for a bare listener, the listener. */
  app: string;
  /** What goes into the file goes behind this: the statement, or the brace that opens the function. */
  inside: SyntaxNode | undefined;
  /** The listener to wrap. */
  listener: SyntaxNode | undefined;
}

/** `file` and `line` say where an app seems to be made. */
export interface NoPlace {
  why: string;
  file: string | undefined;
  line: number | undefined;
}

/** @param files in the order in which the app's start leads to them */
export function findPlace(files: readonly SourceFile[], rules: AddRules, startedAsPlugin: boolean): Place | NoPlace {
  const [entry] = files;
  for (const file of files) {
    const makers = makersIn(file, rules);
    if (makers.length === 0) continue;
    return placeIn(file, makers, rules);
  }
  const plugin = rules.plugin && startedAsPlugin && entry ? pluginIn(entry) : undefined;
  if (plugin !== undefined) return plugin;
  return { why: "No file was found in which the app is made.", file: entry?.path, line: undefined };
}

interface Maker {
  node: SyntaxNode;
  parents: readonly SyntaxNode[];
}

/** Every expression in the file that makes an app. */
function makersIn({ program }: SourceFile, rules: AddRules): Maker[] {
  const bindings = bindingsOf(program, rules.package);
  const type = rules.by === "new" ? "NewExpression" : "CallExpression";
  const found: Maker[] = [];
  walk(program, (node, parents) => {
    if (node.type !== type) return;
    const exported = exportCalled(child(node, "callee"), rules.package, bindings);
    if (exported !== undefined && rules.makers.includes(exported)) found.push({ node, parents });
  });
  return found;
}

function placeIn(file: SourceFile, makers: readonly Maker[], rules: AddRules): Place | NoPlace {
  const [{ node, parents }] = makers as [Maker];
  const { line } = node.loc.start;
  const unclear = (why: string): NoPlace => ({ why, file: file.path, line });
  if (makers.length > 1) return unclear(`${makers.length} apps are made in ${file.path}.`);
  const [, statement] = parents;
  if (statement === undefined || parents.some(isFunction)) return unclear("The app is made inside a function.");
  const place = { file, line, statement, inside: undefined, listener: undefined };
  if (rules.by === "listener") {
    const listener = children(node, "arguments").at(-1);
    if (listener === undefined || listener.type === "ObjectExpression")
      return unclear("The server is made without a listener.");
    return { ...place, app: "", listener };
  }
  const declaration = statement.type === "ExportNamedDeclaration" ? child(statement, "declaration") : statement;
  const declarators = declaration?.type === "VariableDeclaration" ? children(declaration, "declarations") : [];
  const app = nameOf(child(declarators[0], "id"));
  if (declarators.length !== 1 || app === undefined || withoutChainedCalls(child(declarators[0], "init")) !== node) {
    return unclear("The app isn't made as the one value of a variable.");
  }
  return { ...place, app };
}

/** Fastify's `withTypeProvider` returns the app itself, and Hono's `basePath` one that has no routes yet. */
const CALLS_RETURNING_APPS = ["withTypeProvider", "basePath"];

function withoutChainedCalls(node: SyntaxNode | undefined): SyntaxNode | undefined {
  const expression = bare(node);
  const callee = child(expression, "callee");
  return CALLS_RETURNING_APPS.includes(propertyOf(callee) ?? "")
    ? withoutChainedCalls(child(callee, "object"))
    : expression;
}

function isFunction({ type }: SyntaxNode): boolean {
  return /Function|ClassMethod|ObjectMethod|ClassPrivateMethod/.test(type);
}

/** The function that the file exports, where it has a body and names its first parameter. */
function pluginIn(file: SourceFile): Place | undefined {
  const body = children(file.program, "body");
  for (const statement of body) {
    const exported = exportedBy(statement);
    const name = nameOf(exported);
    const found = name === undefined ? exported : declared(name, body);
    const block = child(found, "body");
    const app = nameOf(children(found, "params")[0]);
    if (found === undefined || !isFunction(found) || block?.type !== "BlockStatement" || app === undefined) continue;
    const outer = body.find((candidate) => candidate.start <= found.start && found.end <= candidate.end) ?? statement;
    return { file, line: found.loc.start.line, statement: outer, app, inside: block, listener: undefined };
  }
  return undefined;
}

/** What `export default` or `module.exports =` exports. */
function exportedBy(statement: SyntaxNode): SyntaxNode | undefined {
  if (statement.type === "ExportDefaultDeclaration") return bare(child(statement, "declaration"));
  const assignment = statement.type === "ExpressionStatement" ? child(statement, "expression") : undefined;
  const target = assignment?.type === "AssignmentExpression" ? child(assignment, "left") : undefined;
  const isExports = propertyOf(target) === "exports" && nameOf(child(target, "object")) === "module";
  return isExports ? bare(child(assignment, "right")) : undefined;
}

function declared(name: string, body: readonly SyntaxNode[]): SyntaxNode | undefined {
  for (const statement of body) {
    const declaration = statement.type === "ExportNamedDeclaration" ? child(statement, "declaration") : statement;
    if (declaration?.type === "FunctionDeclaration" && nameOf(child(declaration, "id")) === name) return declaration;
    const declarator = children(declaration, "declarations").find((one) => nameOf(child(one, "id")) === name);
    if (declarator !== undefined) return bare(child(declarator, "init"));
  }
  return undefined;
}
