// `add`: puts sessions into an app that is there, and mounts them where the place is certain.
// Change it when a run gets another step; add-messages.ts words what it reports.
import { posix, resolve } from "node:path";
import { formFor, neededOptions } from "../app/compiler-options.ts";
import { parsedFile } from "../app/entry.ts";
import { findPlace } from "../app/place.ts";
import type { PredecessorMount, SessionUse } from "../app/predecessor.ts";
import { predecessorMount, usesOf } from "../app/predecessor.ts";
import { withOptions } from "../app/tsconfig.ts";
import type { Wiring } from "../app/wire.ts";
import { isWired, wire } from "../app/wire.ts";
import { defaultOf, idsOf } from "../choices/answers.ts";
import { Failure, wrongUsage } from "../command-line/failure.ts";
import { choose, oneOf, quoted } from "../command-line/wording.ts";
import type { NewFile } from "../disk/changes.ts";
import { sourceFilesBelow } from "../disk/list.ts";
import { readFiles } from "../disk/read.ts";
import { inspectTarget } from "../disk/target.ts";
import { writeChanges } from "../disk/write.ts";
import type { AddRules, Pack, Predecessor } from "../packs/catalog.ts";
import { GitHistory } from "../programs/git-history.ts";
import type { Added } from "../project/added.ts";
import { placeOf, placeOfAddition, specifierOf } from "../project/added.ts";
import { appendEnvironment } from "../project/append-environment.ts";
import type { Choice } from "../project/choice.ts";
import { dependencyDrift, isOlder } from "../project/dependency-ranges.ts";
import { mergeFile } from "../project/merge-file.ts";
import { mergeManifest } from "../project/merge-manifest.ts";
import { installScripts } from "../project/package-manager.ts";
import type { Plan } from "../project/plan.ts";
import { isShared } from "../project/plan-added.ts";
import { readRecord } from "../project/read-record.ts";
import { RECORD } from "../project/record.ts";
import { findWorkspace, rootNeeds } from "../project/workspace.ts";
import type { Addition, MainFile } from "./add-messages.ts";
import * as messages from "./add-messages.ts";
import { onlyLooks, recover, refuseUncommitted } from "./apply-merge.ts";
import type { CommandInput } from "./command.ts";
import type { ExistingApp } from "./existing-app.ts";
import { frameworksOf, languageOf, openApp } from "./existing-app.ts";
import { installAndCheck } from "./install-and-check.ts";
import { planFor } from "./project.ts";

export async function add(input: CommandInput): Promise<void> {
  const { flags, assets, report, signal } = input;
  const { catalog } = assets;
  const directory = resolve(flags.directory ?? ".");
  recover(directory, input);
  const app = await openApp(directory, catalog, import.meta.dirname, signal);
  const record = app.read(RECORD);
  if (record !== undefined) return addedBefore(record, app, input);

  const { framework, backend } = await settlePacks(app, input);
  const rules = rulesOf(framework);
  const predecessor = predecessorOf(app, rules);
  const added = { ...formOf(app), adopts: predecessor !== undefined };
  const choice: Choice = {
    name: String(app.manifest.name ?? posix.basename(directory)),
    framework,
    backend,
    packageManager: app.packageManager,
    minimal: true,
    nodePinned: false,
    workspaceMember: findWorkspace(directory, app.packageManager) !== undefined,
    added,
  };
  const plan = await planFor(choice, assets);
  const notes = settingsNeeded(choice, directory);
  const changes = changesTo(app, plan, catalog.version, notes);
  if (predecessor?.types !== undefined) withoutTypes(app, changes, predecessor.types, notes);
  setCompilerOptions(app, changes, notes);
  notes.push(...compiledSchema(app, plan));
  const main = mainFile(app, rules, added);
  const uses = predecessor ? everyUse(app, predecessor) : [];
  if (main.wired !== undefined) changes.set(main.wired.path, changed(app, main.wired.path, main.wired.text));
  const before = readFiles(directory, changes.keys()).files;
  const addition: Addition = { app, choice, version: catalog.version, changes, before, main, predecessor, uses, notes };

  messages.decided(report, addition);
  if (flags.diff) messages.difference(report, addition);
  if (onlyLooks(input)) return messages.preview(report, addition, flags.check);
  const history = await GitHistory.open(directory, signal);
  if (!flags.force) await refuseUncommitted(changes, history);
  await writeChanges(changes, inspectTarget(directory, changes, true), signal);
  messages.written(report, addition);
  await installAndCheck(choice, directory, input);
  messages.finished(report, addition, flags.install !== false);
}

/** What the package manager has to be told in a file that isn't ours: the workspace's, or one of the app's own. */
function settingsNeeded(choice: Choice, directory: string): string[] {
  const { packageManager } = choice;
  const workspace = findWorkspace(directory, packageManager);
  if (workspace === undefined && packageManager !== "pnpm") return [];
  const scripts = installScripts({ allowScripts: choice.backend.manifest.allowScripts });
  const needs = rootNeeds(workspace ?? { root: directory, manager: packageManager }, scripts);
  const where = workspace === undefined ? "The app" : "The workspace";
  return needs.map(({ file, lines }) => `${where} needs these lines in its ${file}:\n${lines.join("\n")}`);
}

/** Nothing is left to do but, perhaps, to paste the lines. */
function addedBefore(text: string, app: ExistingApp, { assets, report }: CommandInput): void {
  const { answers } = readRecord(text);
  const framework = assets.catalog.frameworks.find(({ id }) => id === answers.framework);
  if (answers.added === undefined || framework?.add === undefined) {
    throw new Failure(
      1,
      "GENERATED",
      `${quoted(answers.name)} was made by create-session-app and has sessions already.`,
    );
  }
  messages.alreadyThere(report, answers.name, mainFile(app, framework.add, answers.added));
}

async function settlePacks(app: ExistingApp, input: CommandInput): Promise<{ framework: Pack; backend: Pack }> {
  const { flags, assets, terminal, signal } = input;
  const { catalog } = assets;
  const found = frameworksOf(app, catalog);
  const known = {
    directory: app.directory,
    name: "app",
    install: true,
    git: false,
    framework: flags.framework ?? (found.length === 1 ? found[0]?.id : undefined),
    backend: flags.backend ?? (flags.yes ? defaultOf(catalog.backends) : undefined),
  };
  if (known.framework !== undefined) choose("framework", known.framework, idsOf(catalog.frameworks));
  if (known.backend !== undefined) choose("backend", known.backend, idsOf(catalog.backends));
  let answers: typeof known = known;
  if (known.framework === undefined || known.backend === undefined) {
    if (!terminal.interactive) throw nobodyToAsk(found, known, flags.json);
    const { askOpen } = await import("../choices/questions.ts");
    answers = { ...known, ...(await askOpen(known, catalog, app.packageManager, signal)) } as typeof known;
  }
  const pick = (packs: readonly Pack[], id: string | undefined) => packs.find((pack) => pack.id === id) as Pack;
  return { framework: pick(catalog.frameworks, answers.framework), backend: pick(catalog.backends, answers.backend) };
}

function nobodyToAsk(
  found: readonly Pack[],
  { framework, backend }: { framework: string | undefined; backend: string | undefined },
  json: boolean,
): Failure {
  const flags = [...(framework === undefined ? ["--framework"] : []), ...(backend === undefined ? ["--backend"] : [])];
  const depends =
    found.length === 0
      ? "on none of the frameworks"
      : `on ${oneOf(
          found.map(({ label }) => label),
          "and",
        )}`;
  const why = framework === undefined ? `The app depends ${depends}, so that its framework isn't clear. ` : "";
  const nobody = json ? "--json asks nothing" : "There is no terminal to ask on";
  return wrongUsage(`${why}${nobody}. Give ${oneOf(flags, "and")}.`, { flags });
}

function formOf(app: ExistingApp): Omit<Added, "adopts"> {
  const folder = app.start?.path.split("/").slice(0, -1)[0];
  const isTypeScript = app.compiler !== undefined;
  return {
    folder: isTypeScript && folder !== undefined ? folder : "src",
    ...formFor(languageOf(app)),
  };
}

function rulesOf(framework: Pack): AddRules {
  if (framework.add === undefined) throw new Error(`The pack of ${framework.id} doesn't say how sessions are added.`);
  return framework.add;
}

/** Our files as they are, our part of the app's files merged into them. Throws where a file of the app's is in the way. */
function changesTo(app: ExistingApp, plan: Plan, version: string, notes: string[]): Map<string, NewFile> {
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

function changed({ directory }: ExistingApp, path: string, text: string): NewFile {
  return { content: Buffer.from(text), mode: readFiles(directory, [path]).modes.get(path) ?? 0o644 };
}

/** Types of the other package that claim the session for themselves: with them nothing type-checks. */
function withoutTypes(app: ExistingApp, changes: Map<string, NewFile>, types: string, notes: string[]): void {
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
function setCompilerOptions(app: ExistingApp, changes: Map<string, NewFile>, notes: string[]): void {
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
function compiledSchema({ compiler }: ExistingApp, plan: Plan): string[] {
  const schema = [...plan.keys()].find((path) => /(^|\/)session-schema\.(sql|json)$/.test(path));
  const { rootDir, outDir, noEmit } = compiler?.options ?? {};
  const keepsFolder = typeof rootDir === "string" && posix.normalize(`${rootDir}/`) === "./";
  if (schema === undefined || noEmit === true || typeof outDir !== "string" || !keepsFolder) return [];
  return [`The compiled app looks for ${schema} in ${outDir}: have your build script copy it there.`];
}

/** The app's main file with sessions mounted; or what to paste into it, and why. */
function mainFile(app: ExistingApp, rules: AddRules, added: Added): MainFile {
  const place = (path: string) => placeOf(path, added) ?? placeOfAddition(path, added) ?? "";
  const { predecessor } = rules;
  const borrowed =
    added.adopts && predecessor
      ? [
          { name: predecessor.adopt, file: "src/adopt.ts" },
          { name: "sessionView", file: "src/http/session-view.ts" },
        ]
      : [];
  const own = [{ name: "createSessions", file: "src/create-sessions.ts" }, ...rules.imports, ...borrowed];
  const wiring: Wiring = {
    imports: own.map(({ name, file }) => ({ name, place: place(file) })),
    specifierOf: (target, folder) => specifierOf(target, folder, added),
    adopts: added.adopts,
    replaced: undefined,
  };
  if (isWired(app.files, wiring)) return messages.isThere();
  const path = app.start?.path;
  if (app.parse === undefined) {
    const why = `The parser that finds the place, @babel/parser, could not be fetched (${app.parserProblem.split("\n")[0]}).`;
    return messages.toPaste({ why, file: path, line: undefined }, app, rules, wiring);
  }
  const found = findPlace(app.files, rules, app.start?.plugin === true);
  if ("why" in found) return messages.toPaste(found, app, rules, wiring);
  const { path: file } = found.file;
  const unclear = (why: string) => messages.toPaste({ why, file, line: found.line }, app, rules, wiring);
  const replaced = added.adopts && predecessor ? predecessorMount(found, predecessor, app.files) : undefined;
  if (typeof replaced === "string") return unclear(replaced);
  const complete = { ...wiring, imports: usedImports(wiring.imports, replaced, predecessor?.adopt), replaced };
  const wired = wire(found, rules, complete, app.parse);
  if ("why" in wired) return unclear(wired.why);
  const line = replaced?.statement.loc.start.line ?? found.line;
  return {
    wired: { path: file, line, replaces: replaced && predecessor?.package, lost: replaced?.lost, text: wired.text },
    paste: undefined,
  };
}

/** Sessions that were in memory only are gone after a restart: nothing takes them over. */
function usedImports(imports: Wiring["imports"], replaced: PredecessorMount | undefined, adopt: string | undefined) {
  const isUseless = replaced !== undefined && replaced.options === undefined;
  return isUseless ? imports.filter(({ name }) => name !== adopt) : imports;
}

function predecessorOf({ manifest }: ExistingApp, { predecessor }: AddRules): Predecessor | undefined {
  const dependencies = { ...Object(manifest.devDependencies), ...Object(manifest.dependencies) };
  return predecessor && Object.hasOwn(dependencies, predecessor.package) ? predecessor : undefined;
}

function everyUse({ directory, read, parse }: ExistingApp, predecessor: Predecessor): SessionUse[] {
  if (parse === undefined) return [];
  return sourceFilesBelow(directory).flatMap((path) => {
    const file = parsedFile(path, read, parse);
    return file === undefined ? [] : usesOf(file, predecessor);
  });
}
