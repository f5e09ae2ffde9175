// Finds another session package in an app: where it is mounted, with what, and each use of its sessions.
// Change it when such a package is mounted in another way; what a use is called here is in the framework's package.json.
import type { Predecessor } from "../packs/catalog.ts";
import type { SourceFile } from "./entry.ts";
import { bindingsOf, exportCalled } from "./modules.ts";
import type { Place } from "./place.ts";
import type { SyntaxNode } from "./syntax.ts";
import { bare, child, children, isReference, nameOf, propertyOf, textOf, walk } from "./syntax.ts";

export interface PredecessorMount {
  /** The whole statement, which is replaced. */
  statement: SyntaxNode;
  /** What the function that takes the sessions over is given, as code; undefined where nothing outlives a restart. */
  options: string | undefined;
  /** Why there is nothing to take over. */
  lost: string | undefined;
  /** The statement that imports the package, where nothing else needs it. */
  useless: SyntaxNode | undefined;
}

/** The one statement of the app's main file that mounts it; a text says why there is none that is certain. */
export function predecessorMount(
  place: Place,
  rules: Predecessor,
  files: readonly SourceFile[],
): PredecessorMount | string {
  const mounts = files.flatMap((file) => mountsIn(file, rules).map((mount) => ({ file, ...mount })));
  const [mount] = mounts;
  if (mount === undefined) return `It isn't clear where ${rules.package} is mounted.`;
  const { file, call, parents, options } = mount;
  if (mounts.length > 1) return `${rules.package} is mounted in ${mounts.length} places.`;
  if (file !== place.file) return `${rules.package} is mounted in ${file.path}.`;
  const statement = parents.at(-1)?.type === "AwaitExpression" ? parents.at(-2) : parents.at(-1);
  const isOfApp = nameOf(child(child(call, "callee"), "object")) === place.app;
  const block = parents[parents.indexOf(statement as SyntaxNode) - 1];
  const isOutermost = block === (place.inside ?? file.program);
  if (statement?.type !== "ExpressionStatement" || !isOfApp || !isOutermost) {
    return `${rules.package} isn't mounted on the app itself, once for all.`;
  }
  const read = optionsOf(options, file, rules);
  return typeof read === "string"
    ? read
    : {
        statement,
        options: read.code,
        lost: read.lost,
        useless: uselessImport(file, statement, read.code ?? "", rules),
      };
}

interface MountCall {
  call: SyntaxNode;
  parents: readonly SyntaxNode[];
  options: SyntaxNode | undefined;
}

/** `app.use(session(options))`, or `app.register(session, options)`. */
function mountsIn({ program }: SourceFile, rules: Predecessor): MountCall[] {
  const bindings = bindingsOf(program, rules.package);
  const isPackage = (node: SyntaxNode | undefined) =>
    rules.exports.includes(exportCalled(node, rules.package, bindings) ?? "");
  const found: MountCall[] = [];
  walk(program, (call, parents) => {
    if (call.type !== "CallExpression" || propertyOf(child(call, "callee")) === undefined) return;
    const [first, second] = children(call, "arguments");
    if (isPackage(first)) found.push({ call, parents, options: second });
    else if (first?.type === "CallExpression" && isPackage(child(first, "callee")) && second === undefined) {
      found.push({ call, parents, options: children(first, "arguments")[0] });
    }
  });
  return found;
}

/** The options that the taking over needs, as they stand in the app's code. */
function optionsOf(
  node: SyntaxNode | undefined,
  { text, program }: SourceFile,
  { package: name, options, needs }: Predecessor,
): { code: string | undefined; lost: string | undefined } | string {
  const variable = nameOf(node);
  const object = variable === undefined ? node : constantOf(program, variable);
  const given = object?.type === "ObjectExpression" ? children(object, "properties") : [];
  if (node !== undefined && (object === undefined || given.some(({ type }) => type !== "ObjectProperty"))) {
    if (!needs.includes("app")) return `The options of ${name} can't be read.`;
  }
  const codeOf = (option: string): string | undefined => {
    const property = given.find((candidate) => textOf(child(candidate, "key")) === option);
    const value = child(property, "value");
    if (value === undefined) return undefined;
    return variable === undefined ? text.slice(value.start, value.end) : `${variable}.${option}`;
  };
  const found = Object.entries(options).flatMap(([ours, theirs]) => {
    const code = theirs.startsWith("=") ? theirs.slice(1) : codeOf(theirs);
    return code === undefined ? [] : [{ ours, code }];
  });
  if (needs.some((option) => option !== "app" && !found.some(({ ours }) => ours === option))) {
    return { code: undefined, lost: "they are in the memory of the process" };
  }
  const secret = child(
    given.find((candidate) => textOf(child(candidate, "key")) === "secret"),
    "value",
  );
  if (secret?.type === "StringLiteral" && String(secret.value).length < MIN_SECRET_LENGTH) {
    return {
      code: undefined,
      lost: `their secret has fewer than ${MIN_SECRET_LENGTH} characters, and could be guessed`,
    };
  }
  const code = found.map(({ ours, code }) => (ours === code ? ours : `${ours}: ${code}`)).join(", ");
  return { code: `{ ${code} }`, lost: undefined };
}

/** As src/session/adopt.ts asks for it. */
const MIN_SECRET_LENGTH = 16;

/** The import of the package, unless its names stand elsewhere too, or in the code that is kept. */
function uselessImport(
  { program }: SourceFile,
  statement: SyntaxNode,
  kept: string,
  { package: name }: Predecessor,
): SyntaxNode | undefined {
  const names = [...bindingsOf(program, name).keys()];
  const imports = children(program, "body").filter(
    (one) => [...bindingsOf({ ...program, body: [one] }, name).keys()].length > 0,
  );
  const [only] = imports;
  if (only === undefined || imports.length > 1 || names.some((one) => kept.includes(one))) return undefined;
  let isUsed = false;
  walk(program, (node, parents) => {
    const isWithin = (outer: SyntaxNode) => outer.start <= node.start && node.end <= outer.end;
    const named = names.includes(nameOf(node) ?? "") && isReference(node, parents.at(-1));
    if (named && !isWithin(statement) && !isWithin(only)) isUsed = true;
  });
  const declarators = children(only, "declarations");
  return isUsed || declarators.length > 1 ? undefined : only;
}

function constantOf(program: SyntaxNode, name: string): SyntaxNode | undefined {
  for (const statement of children(program, "body")) {
    const found = children(statement, "declarations").find((one) => nameOf(child(one, "id")) === name);
    if (found !== undefined) return bare(child(found, "init"));
  }
  return undefined;
}

export interface SessionUse {
  file: string;
  line: number;
  code: string;
  counterpart: string;
}

/** Members of a request that are the old package's. */
const MEMBERS = /^(session|sessionID|sessionId|sessionStore)$/;
/** Keys under which apps keep who is signed in. */
const USERS = /^(user|userid|userId|userID|user_id|uid)$/;
const LONGEST = 70;

/** Every use of a session that a function gets with its request or its context. */
export function usesOf({ path, text, program }: SourceFile, { uses }: Predecessor): SessionUse[] {
  const found: SessionUse[] = [];
  walk(program, (node, parents) => {
    const member = propertyOf(node);
    if (member === undefined || !MEMBERS.test(member) || !isRequest(child(node, "object"), parents)) return;
    const parent = parents.at(-1);
    const key = child(parent, "object") === node ? (propertyOf(parent) ?? "[key]") : undefined;
    const whole = key === undefined ? node : (parent as SyntaxNode);
    const outer = parents.at(key === undefined ? -1 : -2);
    const isAssigned = outer?.type === "AssignmentExpression" && child(outer, "left") === whole;
    const shown =
      isAssigned || outer?.type === "UpdateExpression" || child(outer, "callee") === whole
        ? (outer as SyntaxNode)
        : whole;
    const [code = ""] = text.slice(shown.start, shown.end).split(/\r?\n/);
    const base = text.slice(node.start, node.end);
    // An assignment shows what it reads as well.
    if (found.some(({ line, code: shown }) => line === node.loc.start.line && shown !== code && shown.includes(code)))
      return;
    const known = key === undefined ? (isAssigned ? uses["="] : uses[member]) : uses[key];
    found.push({
      file: path,
      line: node.loc.start.line,
      code: code.length > LONGEST ? `${code.slice(0, LONGEST)}…` : code,
      counterpart: known?.replaceAll("SESSION", base) ?? counterpart(base, key, isAssigned),
    });
  });
  return found;
}

function counterpart(base: string, key: string | undefined, isAssigned: boolean): string {
  if (key === undefined) return `${base}.data`;
  const place = key === "[key]" ? `${base}.data[key]` : `${base}.data.${key}`;
  return isAssigned && USERS.test(key) ? `await ${base}.signIn(id), and ${base}.userid` : place;
}

/** A parameter of a function around it; or a request that hangs on something else. */
function isRequest(object: SyntaxNode | undefined, parents: readonly SyntaxNode[]): boolean {
  if (/^(req|request)$/.test(propertyOf(object) ?? "")) return true;
  const name = nameOf(object);
  if (name === undefined) return false;
  return parents.some((parent) =>
    children(parent, "params").some((parameter) => {
      const target = parameter.type === "AssignmentPattern" ? child(parameter, "left") : parameter;
      return nameOf(target) === name;
    }),
  );
}
