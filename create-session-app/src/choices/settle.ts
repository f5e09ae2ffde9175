// From flags to answers: what is still open is asked where there is a terminal, taken from the defaults with --yes, and refused otherwise.
// Change it when a flag decides another answer.
import { basename, resolve } from "node:path";
import type { Flags } from "../command-line/arguments.ts";
import { wrongUsage } from "../command-line/failure.ts";
import type { Terminal } from "../command-line/terminal.ts";
import { choose, oneOf, quoted } from "../command-line/wording.ts";
import type { Catalog, Pack } from "../packs/catalog.ts";
import type { PackageManager } from "../project/package-manager.ts";
import { PACKAGE_MANAGERS, runningPackageManager } from "../project/package-manager.ts";
import type { Answers, OpenAnswers } from "./answers.ts";
import { DEFAULT_DIRECTORY, idsOf, needsName, withDefaults } from "./answers.ts";
import { directoryProblem, nameFromDirectory, nameProblem } from "./project-name.ts";

/** The flag that answers each question, as the message for runs without a terminal names it. */
const FLAGS = {
  directory: "a directory",
  framework: "--framework",
  backend: "--backend",
  install: "--install or --no-install",
  git: "--git or --no-git",
} as const;

type Question = keyof typeof FLAGS;

export interface Circumstances {
  catalog: Catalog;
  terminal: Terminal;
  /** The user agent of the package manager that runs this process. */
  userAgent: string | undefined;
  /** Aborted when the run is cancelled. */
  signal: AbortSignal;
}

export async function settle(flags: Flags, circumstances: Circumstances): Promise<Answers> {
  const { catalog, terminal, userAgent, signal } = circumstances;
  const given = checkGiven(flags, catalog);
  const packageManager =
    flags.pm === undefined ? runningPackageManager(userAgent) : choose("package manager", flags.pm, PACKAGE_MANAGERS);
  const open = flags.yes ? withDefaults(given, catalog) : given;
  const missing = (Object.keys(FLAGS) as Question[]).filter((question) => open[question] === undefined);
  const rest = { catalog, packageManager, minimal: flags.minimal };
  if (missing.length === 0 && (flags.yes || !needsName(open))) return complete(open, rest);
  if (terminal.interactive) return complete(await ask(open, catalog, packageManager, signal), rest);
  if (missing.length > 0) throw nobodyToAsk(missing, needsName(open), flags.json);
  return complete(open, rest);
}

/** Given answers are checked first, so that nobody answers five questions to learn then that a flag was wrong. */
function checkGiven(flags: Flags, catalog: Catalog): OpenAnswers {
  const { directory, name, framework, backend, install, git } = flags;
  if (framework !== undefined) choose("framework", framework, idsOf(catalog.frameworks));
  if (backend !== undefined) choose("backend", backend, idsOf(catalog.backends));
  if (directory !== undefined) checkDirectory(directory);
  if (name !== undefined) checkName(name);
  return { directory, name, framework, backend, install, git };
}

function checkDirectory(directory: string): void {
  const problem = directoryProblem(directory);
  if (problem !== undefined) throw wrongUsage(`The project can't go to ${quoted(directory)}: ${problem}.`);
}

function checkName(name: string): void {
  const problem = nameProblem(name);
  if (problem === undefined) return;
  const possible = nameFromDirectory(name);
  const hint = possible === "" ? "" : ` ${quoted(possible)} would do.`;
  throw wrongUsage(`npm doesn't take the name ${quoted(name)}: ${problem}.${hint}`);
}

/** Loads the prompts, which a run that asks nothing doesn't need. */
async function ask(
  open: OpenAnswers,
  catalog: Catalog,
  manager: PackageManager,
  signal: AbortSignal,
): Promise<OpenAnswers> {
  // The library that colours the prompts doesn't know NO_COLOR; it reads this variable when it is loaded.
  if (process.env.NO_COLOR !== undefined) process.env.NODE_DISABLE_COLORS = "1";
  const { askOpen } = await import("./questions.ts");
  return askOpen(open, catalog, manager, signal);
}

interface Rest {
  catalog: Catalog;
  packageManager: PackageManager;
  minimal: boolean;
}

function complete(answers: OpenAnswers, { catalog, packageManager, minimal }: Rest): Answers {
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
    minimal,
    install: answers.install ?? true,
    git: answers.git ?? true,
  };
}

function find(packs: readonly Pack[], id: string | undefined): Pack {
  const pack = packs.find((candidate) => candidate.id === id);
  if (pack === undefined) throw new Error(`There is no pack ${id}.`);
  return pack;
}

function nobodyToAsk(missing: readonly Question[], nameless: boolean, json: boolean): Error {
  const flags = [...missing.map((question) => FLAGS[question]), ...(nameless ? ["--name"] : [])];
  const why = json ? "--json asks nothing" : "There is no terminal to ask on";
  return wrongUsage(`${why}. Give ${oneOf(flags, "and")}; or --yes, which takes the defaults.`, { flags });
}
