// `add`: puts sessions into an app that is there, and mounts them where the place is certain.
// Change it when a run gets another step; add-messages.ts words what it reports.
import { resolve } from "node:path";
import { formFor } from "../app/compiler-options.ts";
import { parsedFile } from "../app/entry.ts";
import type { SessionUse } from "../app/predecessor.ts";
import { usesOf } from "../app/predecessor.ts";
import { defaultOf, idsOf } from "../choices/answers.ts";
import { nameFromDirectory, nameProblem } from "../choices/project-name.ts";
import { Failure, wrongUsage } from "../command-line/failure.ts";
import { choose, oneOf, quoted } from "../command-line/wording.ts";
import { sourceFilesBelow } from "../disk/list.ts";
import { readFiles } from "../disk/read.ts";
import { inspectTarget } from "../disk/target.ts";
import { writeChanges } from "../disk/write.ts";
import type { AddRules, Pack, Predecessor } from "../packs/catalog.ts";
import { GitHistory } from "../programs/git-history.ts";
import type { Added } from "../project/added.ts";
import type { Choice } from "../project/choice.ts";
import { installScripts } from "../project/package-manager.ts";
import { RECORD } from "../project/record.ts";
import { findWorkspace, rootNeeds } from "../project/workspace.ts";
import type { Addition } from "./add-messages.ts";
import * as messages from "./add-messages.ts";
import { changed, changesTo, compiledSchema, setCompilerOptions, withoutTypes } from "./added-files.ts";
import { onlyLooks, recover, refuseUncommitted } from "./apply-merge.ts";
import type { CommandInput } from "./command.ts";
import type { ExistingApp } from "./existing-app.ts";
import { frameworksOf, languageOf, openApp } from "./existing-app.ts";
import { installAndCheck } from "./install-and-check.ts";
import { mainFile } from "./main-file.ts";
import { openProject, planFor } from "./project.ts";

export async function add(input: CommandInput): Promise<void> {
  const { flags, assets, report, signal } = input;
  const { catalog } = assets;
  const directory = resolve(flags.directory ?? ".");
  recover(directory, input);
  const app = await openApp(directory, catalog, import.meta.dirname, signal);
  if (app.read(RECORD) !== undefined) return addedBefore(app, input);

  const { framework, backend } = await settlePacks(app, input);
  const rules = rulesOf(framework);
  const predecessor = predecessorOf(app, rules);
  const added = { ...formOf(app), adopts: predecessor !== undefined };
  const choice: Choice = {
    name: nameOf(app),
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

/** Returns the settings that the package manager needs in a file that isn't ours: the workspace's, or one of the app's own. */
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
function addedBefore(app: ExistingApp, { assets, report }: CommandInput): void {
  const { answers } = openProject(app.directory, assets.catalog.version).record;
  const framework = assets.catalog.frameworks.find(({ id }) => id === answers.framework);
  if (answers.added === undefined || framework?.add === undefined) {
    throw new Failure(
      1,
      "GENERATED",
      `${quoted(answers.name)} was made by create-session-app and has sessions already.`,
    );
  }
  const predecessor = answers.added.adopts ? framework.add.predecessor : undefined;
  messages.alreadyThere(report, answers.name, mainFile(app, framework.add, answers.added), predecessor);
}

async function settlePacks(app: ExistingApp, input: CommandInput): Promise<{ framework: Pack; backend: Pack }> {
  const { flags, assets, terminal, signal } = input;
  const { backends } = assets.catalog;
  const frameworks = assets.catalog.frameworks.filter((pack) => pack.add !== undefined);
  const found = frameworksOf(app, assets.catalog);
  const known = {
    directory: app.directory,
    name: "app",
    install: true,
    git: false,
    framework: flags.framework ?? (found.length === 1 ? found[0]?.id : undefined),
    backend: flags.backend ?? (flags.yes ? defaultOf(backends) : undefined),
  };
  if (known.framework !== undefined) {
    choose("framework", known.framework, idsOf(assets.catalog.frameworks));
    if (!idsOf(frameworks).includes(known.framework)) throw withoutRules(known.framework, frameworks);
  }
  if (known.backend !== undefined) choose("backend", known.backend, idsOf(backends));
  let answers: typeof known = known;
  if (known.framework === undefined || known.backend === undefined) {
    if (!terminal.interactive) throw nobodyToAsk(found, known, flags.json);
    const { askOpen } = await import("../choices/questions.ts");
    answers = {
      ...known,
      ...(await askOpen(known, { ...assets.catalog, frameworks }, app.packageManager, signal)),
    } as typeof known;
  }
  const pick = (packs: readonly Pack[], id: string | undefined) => packs.find((pack) => pack.id === id) as Pack;
  return { framework: pick(frameworks, answers.framework), backend: pick(backends, answers.backend) };
}

/** Makes the error for a framework whose pack doesn't say how sessions are added. */
function withoutRules(id: string, known: readonly Pack[]): Failure {
  const message = `"add" doesn't support the framework ${quoted(id)}. It supports ${oneOf(idsOf(known), "and")}.`;
  return wrongUsage(message, { known: idsOf(known) });
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

/** The record holds only names that npm would take; an app may have another one. */
function nameOf({ manifest, directory }: ExistingApp): string {
  const { name } = manifest;
  if (typeof name === "string" && nameProblem(name) === undefined) return name;
  return nameFromDirectory(directory) || "app";
}

function rulesOf(framework: Pack): AddRules {
  if (framework.add === undefined) throw new Error(`The pack of ${framework.id} doesn't say how sessions are added.`);
  return framework.add;
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
