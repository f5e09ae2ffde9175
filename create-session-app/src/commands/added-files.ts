// What `add` writes besides the app's main file: our files, and our part of those that are the app's.
// Change it when another file of an app needs a part of ours.
import { posix } from "node:path";
import { neededOptions } from "../app/compiler-options.ts";
import { withOptions } from "../app/tsconfig.ts";
import type { NewFile } from "../disk/changes.ts";
import { readFiles } from "../disk/read.ts";
import { appendEnvironment } from "../project/append-environment.ts";
import { dependencyDrift, isOlder } from "../project/dependency-ranges.ts";
import { mergeFile } from "../project/merge-file.ts";
import { mergeManifest } from "../project/merge-manifest.ts";
import type { Plan } from "../project/plan.ts";
import { isShared } from "../project/plan-added.ts";
import * as messages from "./add-messages.ts";
import type { ExistingApp } from "./existing-app.ts";

/** Our files as they are, our part of the app's files merged into them. Throws where a file of the app's is in the way. */
export function changesTo(app: ExistingApp, plan: Plan, version: string, notes: string[]): Map<string, NewFile> {
  const here = readFiles(app.directory, plan.keys());
  const inTheWay = [...here.files.keys()].filter((path) => !isShared(path)).concat(here.others);
  if (inTheWay.length > 0) throw messages.inTheWay(inTheWay, app.directory);
  const changes = new Map<string, NewFile>();
  const labels = { yours: "yours", ours: `create-session-app ${version}` };
  for (const [path, file] of plan) {
    const yours = app.read(path);
    if (yours === undefined) {
      changes.set(path, file);
      continue;
    }
    const ours = Buffer.from(file.content).toString("utf8");
    const merged = mergeShared(path, yours, ours, labels);
    if (merged === undefined) notes.push(`${path} can't be merged. It needs these lines:\n${ours}`);
    else {
      notes.push(...merged.notes);
      if (merged.text !== yours) changes.set(path, changed(app, path, merged.text));
    }
  }
  return changes;
}

type Labels = Parameters<typeof mergeFile>[2];

function mergeShared(
  path: string,
  yours: string,
  ours: string,
  labels: Labels,
): { text: string; notes: string[] } | undefined {
  if (path === "package.json") {
    const merged = mergeManifest({ base: outdatedTypes(yours, ours), yours, ours }, labels);
    return merged && { text: merged.text, notes: tooOld(merged.text, ours) };
  }
  if (path === ".env.example") return { text: appendEnvironment(yours, ours), notes: [] };
  const contents = { base: undefined, yours: Buffer.from(yours), ours: Buffer.from(ours) };
  const merged = mergeFile(path, contents, labels);
  return merged && { text: Buffer.from(merged.content).toString("utf8"), notes: [] };
}

/** Dependencies that the app has already, in a version that our files don't work with. */
function tooOld(manifest: string, ours: string): string[] {
  return dependencyDrift(manifest, ours).map(
    ({ name, yours, ours }) =>
      `The added code needs ${name} ${ours}, and the app has ${yours}. Raise it, or the app won't start.`,
  );
}

/** Types of Node that are older than the Node that our files need: what stands in the base of a merge is replaced. */
function outdatedTypes(yours: string, ours: string): string {
  const name = "@types/node";
  const [range, newer] = [yours, ours].map(
    (text) => Object(JSON.parse(text.replace(/^\ufeff/, "")).devDependencies)[name],
  );
  const isOutdated = typeof range === "string" && typeof newer === "string" && isOlder(range, newer);
  return JSON.stringify(isOutdated ? { devDependencies: { [name]: range } } : {});
}

export function changed({ directory }: ExistingApp, path: string, text: string): NewFile {
  return { content: Buffer.from(text), mode: readFiles(directory, [path]).modes.get(path) ?? 0o644 };
}

/** Types of the other package that claim the session for themselves: with them nothing type-checks. */
export function withoutTypes(app: ExistingApp, changes: Map<string, NewFile>, types: string, notes: string[]): void {
  const path = "package.json";
  const text = Buffer.from(changes.get(path)?.content ?? app.read(path) ?? "{}").toString("utf8");
  const manifest = JSON.parse(text.replace(/^\ufeff/, ""));
  const sections = ["dependencies", "devDependencies"].filter(
    (section) => Object(manifest[section])[types] !== undefined,
  );
  if (sections.length === 0) return;
  const part = JSON.stringify(Object.fromEntries(sections.map((name) => [name, { [types]: manifest[name][types] }])));
  const empty = JSON.stringify(Object.fromEntries(sections.map((name) => [name, {}])));
  const merged = mergeManifest({ base: part, yours: text, ours: empty }, { yours: "", ours: "" });
  if (merged !== undefined) changes.set(path, changed(app, path, merged.text));
  notes.push(
    `${types} ${merged ? "was taken out of" : "has to go from"} package.json: it declares the session to be its own.`,
  );
}

/** Options without which our files don't type-check. */
export function setCompilerOptions(app: ExistingApp, changes: Map<string, NewFile>, notes: string[]): void {
  const { compiler, parse } = app;
  const text = app.read("tsconfig.json");
  if (compiler === undefined || text === undefined) return;
  const needed = neededOptions(compiler.options, compiler.version);
  if (needed.length === 0) return;
  const edited = parse && withOptions(text, needed, parse);
  if (edited !== undefined) changes.set("tsconfig.json", changed(app, "tsconfig.json", edited));
  else {
    const lines = needed.map(({ name, value }) => `"${name}": ${JSON.stringify(value)}`);
    notes.push(`The compilerOptions of tsconfig.json need: ${lines.join(", ")}`);
  }
}

/** Compiled files look for the schema two folders up, where it isn't when the folder of the source is kept in the output. */
export function compiledSchema({ compiler }: ExistingApp, plan: Plan): string[] {
  const schema = [...plan.keys()].find((path) => /(^|\/)session-schema\.(sql|json)$/.test(path));
  const { rootDir, outDir, noEmit } = compiler?.options ?? {};
  const keepsFolder = typeof rootDir === "string" && posix.normalize(`${rootDir}/`) === "./";
  if (schema === undefined || noEmit === true || typeof outDir !== "string" || !keepsFolder) return [];
  return [`The compiled app looks for ${schema} in ${outDir}: have your build script copy it there.`];
}
