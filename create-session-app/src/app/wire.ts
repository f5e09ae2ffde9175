// Writes the lines that mount sessions into an app's main file, in the file's own habits; or gives them to paste.
// Change it when mounting takes another line.
import { posix } from "node:path";
import type { AddRules, Predecessor } from "../packs/catalog.ts";
import type { Edit, Habits } from "./edits.ts";
import { applyEdits, habitsOf, indentationAt, lineEndOf, linesAfter, linesBefore, withoutStatement } from "./edits.ts";
import { parsedFile, type SourceFile } from "./entry.ts";
import { importsOf } from "./modules.ts";
import type { Place } from "./place.ts";
import type { PredecessorMount } from "./predecessor.ts";
import type { Parse, SyntaxNode } from "./syntax.ts";
import { child, children, isReference, nameOf, propertyOf, requiredBy, walk } from "./syntax.ts";

/** A name, and the file of the app that exports it. */
export interface Imported {
  name: string;
  place: string;
}

export interface Wiring {
  imports: readonly Imported[];
  /** How a file is named in an import. */
  specifierOf: (place: string, fromFolder: string) => string;
  /** Whether another package's live sessions are taken over. */
  adopts: boolean;
  /** Where another session package is mounted, whose place is taken. */
  replaced: PredecessorMount | undefined;
}

/** Lines for somebody to paste, in this order. */
export interface Paste {
  /** At the top of the file. */
  imports: string[];
  /** Behind what makes the app. */
  statements: string[];
}

/** The file's new text; or, where a line would clash with what is there, why it can't be written. */
export function wire(place: Place, rules: AddRules, wiring: Wiring, parse: Parse): { text: string } | { why: string } {
  const { file, listener } = place;
  const clash = namesIn(file.program, [...wiring.imports.map(({ name }) => name), "sessions"]);
  if (clash !== undefined) return { why: `${file.path} uses the name "${clash}" already.` };
  const habits = habitsOf(file.text, file.program);
  const expected = statementsIn(file.program) + added(rules, wiring, listener);
  // In code without semicolons, what stands behind ours would sometimes go on with it, such as a line that begins with a bracket.
  for (const semicolon of [habits.semicolon, ";"]) {
    const text = textWith({ ...habits, semicolon }, place, rules, wiring);
    const again = parsedFile(file.path, () => text, parse);
    if (again !== undefined && statementsIn(again.program) === expected) return { text };
  }
  return { why: `The lines don't fit into ${file.path}.` };
}

/** Returns by how many statements the file grows. */
function added(rules: AddRules, { imports, replaced, adopts }: Wiring, listener: SyntaxNode | undefined): number {
  const mounts = listener === undefined ? rules.mount.length + (adopts && rules.predecessor ? 1 : 0) : 0;
  const gone = (replaced ? 1 : 0) + (replaced?.useless ? 1 : 0);
  return imports.length + 1 + mounts - gone;
}

function statementsIn(program: SyntaxNode): number {
  let count = 0;
  walk(program, ({ type }) => {
    if (/^(ExpressionStatement|VariableDeclaration|ImportDeclaration|TSImportEqualsDeclaration)$/.test(type)) count++;
  });
  return count;
}

function textWith(habits: Habits, place: Place, rules: AddRules, wiring: Wiring): string {
  const { file, statement, inside, listener } = place;
  const declaration = statement.type === "VariableDeclaration" && statement.kind === "var" ? "var" : "const";
  const isModule = usesImport(file);
  const importing = importLines(isModule, file.path, wiring, habits, declaration);
  const lines = statementLines(place.app, rules, wiring, habits, declaration);
  const [creation = ""] = lines;
  const edits: Edit[] = [importEdit(file, statement, importing, wiring.replaced?.useless)];
  if (listener !== undefined) {
    edits.push(linesBefore(file.text, statement, [creation]));
    const [before = "", after = ""] = (rules.mount[0] ?? "").split("LISTENER");
    edits.push({ start: listener.start, end: listener.start, text: before });
    edits.push({ start: listener.end, end: listener.end, text: after });
  } else if (wiring.replaced !== undefined) {
    const { start, end } = wiring.replaced.statement;
    const between = `${lineEndOf(file.text)}${indentationAt(file.text, start)}`;
    edits.push({ start, end, text: lines.join(between) });
    const { useless } = wiring.replaced;
    if (useless !== undefined && !edits.some((edit) => edit.start === useless.start)) {
      edits.push(withoutStatement(file.text, useless));
    }
  } else if (inside !== undefined) {
    const position = inside.start + 1;
    const first = children(inside, "body")[0];
    const outer = indentationAt(file.text, inside.start);
    const isOnOwnLine = first !== undefined && file.text.slice(position, first.start).includes("\n");
    const indentation = isOnOwnLine ? indentationAt(file.text, first.start) : `${outer}  `;
    const text = lines.map((line) => `${lineEndOf(file.text)}${indentation}${line}`).join("");
    edits.push({ start: position, end: position, text });
  } else edits.push(linesAfter(file.text, statement, lines));
  return applyEdits(file.text, edits);
}

/** Whether the file imports the first of our names from our own file already. */
export function isWired(files: readonly SourceFile[], { imports, specifierOf }: Wiring): boolean {
  return files.some(({ path, program }) => {
    const ours = imports.map(({ place }) => specifierOf(place, posix.dirname(path)));
    return importsOf(program).some((specifier) => ours.includes(specifier));
  });
}

/** @param path the file that the lines are for */
export function linesToPaste(path: string, isModule: boolean, rules: AddRules, wiring: Wiring, habits: Habits): Paste {
  return {
    imports: importLines(isModule, path, wiring, habits, "const"),
    statements: statementLines("app", rules, wiring, habits, "const"),
  };
}

export function usesImport({ path, program }: SourceFile): boolean {
  const body = children(program, "body");
  if (body.some(({ type }) => /^(Import|Export|TSImportEquals)/.test(type))) return true;
  return /\.(mjs|[cm]?tsx?)$/.test(path);
}

function importLines(isModule: boolean, path: string, wiring: Wiring, habits: Habits, declaration: string): string[] {
  const { quote, semicolon } = habits;
  return wiring.imports.map(({ name, place }) => {
    const from = `${quote}${wiring.specifierOf(place, posix.dirname(path))}${quote}`;
    return isModule
      ? `import { ${name} } from ${from}${semicolon}`
      : `${declaration} { ${name} } = require(${from})${semicolon}`;
  });
}

function statementLines(
  app: string,
  rules: AddRules,
  { replaced, adopts }: Wiring,
  habits: Habits,
  declaration: string,
): string[] {
  const { predecessor } = rules;
  const code = (line: string) => line.replaceAll("APP", app).replace("LISTENER", "listener");
  const quoted = (line: string) => `${code(line).replaceAll('"', habits.quote)}${habits.semicolon}`;
  const options = adopts && predecessor ? adoption(predecessor, replaced) : "";
  const creation = `${declaration} sessions = createSessions(${code(options)})${habits.semicolon}`;
  const view = adopts && predecessor ? [predecessor.viewMount] : [];
  return [creation, ...[...rules.mount, ...view].map(quoted)];
}

/** What createSessions is given. Where nothing was found, the names of the options stand for what the app has. */
function adoption({ adopt, options }: Predecessor, replaced: PredecessorMount | undefined): string {
  const code = replaced ? replaced.options : `{ ${Object.keys(options).join(", ")} }`;
  return code === undefined ? "" : `{ adopt: ${adopt}(${code}) }`;
}

/** Behind the last import; in CommonJS behind the last require before the app is made, or just before that. */
function importEdit(
  { text, program }: SourceFile,
  statement: SyntaxNode,
  lines: readonly string[],
  useless: SyntaxNode | undefined,
): Edit {
  const before = children(program, "body").filter((other) => other.end <= statement.start);
  const imports = children(program, "body").filter(({ type }) =>
    /^(ImportDeclaration|TSImportEqualsDeclaration)$/.test(type),
  );
  const last = imports.at(-1) ?? before.filter(requires).at(-1);
  if (last !== undefined && last === useless)
    return { start: last.start, end: last.end, text: lines.join(lineEndOf(text)) };
  return last === undefined ? linesBefore(text, statement, lines) : linesAfter(text, last, lines);
}

/** Whether the statement's own value is a require, or of one: not one that is somewhere in a function. */
function requires(statement: SyntaxNode): boolean {
  const values =
    statement.type === "VariableDeclaration"
      ? children(statement, "declarations").map((one) => child(one, "init"))
      : [child(statement, "expression")];
  return values.some((value) => {
    let node = value;
    while (node !== undefined && requiredBy(node) === undefined) {
      node = propertyOf(node) === undefined ? child(node, "callee") : child(node, "object");
    }
    return node !== undefined;
  });
}

/** The first of these names that stands for something in the file. */
function namesIn(program: SyntaxNode, names: readonly string[]): string | undefined {
  let found: string | undefined;
  walk(program, (node, parents) => {
    const name = nameOf(node);
    if (name !== undefined && names.includes(name) && isReference(node, parents.at(-1))) found ??= name;
  });
  return found;
}
