// From flags to answers: what is still open is asked where there is a terminal, taken from the defaults with --yes, and refused otherwise.
// Change it to add a question; questions.ts asks it.
import { basename, resolve } from "node:path";
import type { Flags } from "./arguments.ts";
import { choose } from "./arguments.ts";
import type { Catalog, Pack } from "./catalog.ts";
import { wrongUsage } from "./failure.ts";
import type { PackageManager } from "./package-manager.ts";
import { PACKAGE_MANAGERS, runningPackageManager } from "./package-manager.ts";
import { directoryProblem, nameFromDirectory, nameProblem } from "./project-name.ts";
import type { Terminal } from "./terminal.ts";
import { oneOf, quoted } from "./wording.ts";

export interface Answers {
  /** As it was given. */
  directory: string;
  name: string;
  framework: Pack;
  backend: Pack;
  packageManager: PackageManager;
  install: boolean;
  git: boolean;
}

/** What there is to ask. `name` only when none can be made of the directory's. */
export interface OpenAnswers {
  directory?: string;
  name?: string;
  framework?: string;
  backend?: string;
  install?: boolean;
  git?: boolean;
}

export const DEFAULT_DIRECTORY = "my-session-app";

/** The flag that answers each question, as the message for runs without a terminal names it. */
const FLAGS = {
  directory: "a directory",
  framework: "--framework",
  backend: "--backend",
  install: "--install or --no-install",
  git: "--git or --no-git",
} as const;

export async function settle(
  flags: Flags,
  catalog: Catalog,
  terminal: Terminal,
  userAgent: string | undefined,
  signal: AbortSignal,
): Promise<Answers> {
  const known = checkGiven(flags, catalog);
  const packageManager =
    flags.pm === undefined ? runningPackageManager(userAgent) : choose("package manager", flags.pm, PACKAGE_MANAGERS);
  const open = flags.yes ? withDefaults(known, catalog) : known;
  const missing = (Object.keys(FLAGS) as (keyof typeof FLAGS)[]).filter((question) => open[question] === undefined);
  if (missing.length === 0 && (flags.yes || !needsName(open))) return complete(open, catalog, packageManager);
  if (terminal.interactive) return complete(await ask(open, catalog, packageManager, signal), catalog, packageManager);
  if (missing.length > 0) throw nobodyToAsk(missing, needsName(open), flags.json);
  return complete(open, catalog, packageManager);
}

/** Given answers are checked first, so that nobody answers five questions to hear that a flag was wrong. */
function checkGiven(flags: Flags, catalog: Catalog): OpenAnswers {
  const { directory, name, framework, backend, install, git } = flags;
  if (framework !== undefined) choose("framework", framework, ids(catalog.frameworks));
  if (backend !== undefined) choose("backend", backend, ids(catalog.backends));
  if (directory !== undefined) mustSuit(directory);
  if (name !== undefined) {
    const problem = nameProblem(name);
    const possible = nameFromDirectory(name);
    const hint = possible === "" ? "" : ` ${quoted(possible)} would do.`;
    if (problem !== undefined) throw wrongUsage(`npm doesn't take the name ${quoted(name)}: ${problem}.${hint}`);
  }
  return { directory, name, framework, backend, install, git };
}

function withDefaults(known: OpenAnswers, catalog: Catalog): OpenAnswers {
  return {
    ...known,
    directory: known.directory ?? DEFAULT_DIRECTORY,
    framework: known.framework ?? defaultOf(catalog.frameworks),
    backend: known.backend ?? defaultOf(catalog.backends),
    install: known.install ?? true,
    git: known.git ?? true,
  };
}

export function defaultOf(packs: readonly Pack[]): string | undefined {
  return (packs.find((pack) => pack.isDefault) ?? packs[0])?.id;
}

/** Loaded only here: a run that asks nothing doesn't pay for the prompts. */
async function ask(
  open: OpenAnswers,
  catalog: Catalog,
  manager: PackageManager,
  signal: AbortSignal,
): Promise<OpenAnswers> {
  // What colours the prompts doesn't know NO_COLOR; it looks at this when it is loaded.
  if (process.env.NO_COLOR !== undefined) process.env.NODE_DISABLE_COLORS = "1";
  const { askOpen } = await import("./questions.ts");
  return askOpen(open, catalog, manager, signal);
}

function complete(answers: OpenAnswers, catalog: Catalog, packageManager: PackageManager): Answers {
  const directory = answers.directory ?? DEFAULT_DIRECTORY;
  const name = answers.name ?? nameFromDirectory(resolve(directory));
  if (name === "") {
    throw wrongUsage(`No package name can be made of ${quoted(basename(resolve(directory)))}: give one with --name.`, {
      flags: ["--name"],
    });
  }
  return {
    directory,
    name,
    framework: find(catalog.frameworks, answers.framework),
    backend: find(catalog.backends, answers.backend),
    packageManager,
    install: answers.install ?? true,
    git: answers.git ?? true,
  };
}

export function needsName(answers: OpenAnswers): boolean {
  const { directory, name } = answers;
  return name === undefined && directory !== undefined && nameFromDirectory(resolve(directory)) === "";
}

function mustSuit(directory: string): void {
  const problem = directoryProblem(directory);
  if (problem !== undefined) throw wrongUsage(`The project can't go to ${quoted(directory)}: ${problem}.`);
}

function nobodyToAsk(missing: readonly (keyof typeof FLAGS)[], nameless: boolean, json: boolean): Error {
  const flags = [...missing.map((question) => FLAGS[question]), ...(nameless ? ["--name"] : [])];
  const why = json ? "--json asks nothing" : "There is no terminal to ask on";
  return wrongUsage(`${why}. Give ${oneOf(flags, "and")}; or --yes, which takes the defaults.`, { flags });
}

function find(packs: readonly Pack[], id: string | undefined): Pack {
  const pack = packs.find((candidate) => candidate.id === id);
  if (pack === undefined) throw new Error(`There is no pack ${id}.`);
  return pack;
}

export function ids(packs: readonly Pack[]): string[] {
  return packs.map((pack) => pack.id);
}
