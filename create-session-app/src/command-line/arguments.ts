// Reads the command line: which command, and what its flags and the directory say. Nothing is asked or guessed here.
// Change it to add a flag: --help shows the table below as well.
import { parseArgs } from "node:util";
import { wrongUsage } from "./failure.ts";
import { refuseOptionsKeptByNpm } from "./kept-by-npm.ts";
import { lookAlikeHint, nearest, quoted } from "./wording.ts";

/** What the command line says. What it leaves out is undefined. */
export interface Flags {
  directory?: string;
  framework?: string;
  backend?: string;
  name?: string;
  pm?: string;
  install?: boolean;
  git?: boolean;
  minimal: boolean;
  yes: boolean;
  dryRun: boolean;
  json: boolean;
  overwrite: boolean;
  help: boolean;
  version: boolean;
  list: boolean;
}

interface Option {
  type: "string" | "boolean";
  short?: string;
  value?: string;
  help: string;
}

export const OPTIONS: Record<string, Option> = {
  framework: { type: "string", short: "f", value: "ID", help: "the web framework" },
  backend: { type: "string", short: "b", value: "ID", help: "where sessions are stored" },
  yes: { type: "boolean", short: "y", help: "take the default for everything not given" },
  name: { type: "string", value: "NAME", help: "the package's name (default: the directory's)" },
  pm: { type: "string", value: "PM", help: "npm, pnpm, yarn or bun (default: the one that ran this)" },
  minimal: { type: "boolean", help: "leave out the example: the wiring, one route and its test remain" },
  install: { type: "boolean", help: "install the dependencies" },
  "no-install": { type: "boolean", help: "don't install the dependencies" },
  git: { type: "boolean", help: "make a git repository" },
  "no-git": { type: "boolean", help: "don't make a git repository" },
  "dry-run": { type: "boolean", help: "show what would be written, write nothing" },
  json: { type: "boolean", help: "print one JSON document, ask nothing" },
  overwrite: { type: "boolean", help: "replace files that are in the way" },
  list: { type: "boolean", help: "list frameworks and backends, with versions" },
  help: { type: "boolean", short: "h", help: "show this" },
  version: { type: "boolean", short: "v", help: "show the version" },
};

const COMMANDS = ["create", "add", "update", "switch", "doctor"];

/**
 * Reads the flags of `create`, the only command that this version has. It is also what runs when no command is named.
 * @param env the environment, which shows whether npm has kept options for itself
 */
export function readArguments(argv: readonly string[], env: NodeJS.ProcessEnv): Flags {
  const { values, positionals } = parse(argv);
  const text = (name: string) => values.get(name) as string | undefined;
  const given = (name: string) => values.has(name);
  refuseOptionsKeptByNpm(given, positionals.length, env);
  const directories = withoutCommand(positionals);
  if (directories.length > 1) {
    const listed = directories.slice(0, 3).map(quoted).join(" and ");
    throw wrongUsage(`One directory at most, not ${listed}. A name with spaces needs quotes.`);
  }
  if (directories[0] === "") throw wrongUsage("The directory's name is empty.");
  return {
    directory: directories[0],
    framework: text("framework"),
    backend: text("backend"),
    name: text("name"),
    pm: text("pm"),
    install: either(given, "install"),
    git: either(given, "git"),
    minimal: given("minimal"),
    yes: given("yes"),
    dryRun: given("dry-run"),
    json: given("json"),
    overwrite: given("overwrite"),
    help: given("help"),
    version: given("version"),
    list: given("list"),
  };
}

/** Wanted before the arguments are read, since a mistake among them is reported as JSON too. */
export function asksForJson(argv: readonly string[]): boolean {
  return argv.includes("--json");
}

/** The first word may name a command. A directory with such a name is given as a path: "./update". */
function withoutCommand(positionals: readonly string[]): readonly string[] {
  const [first = "", ...others] = positionals;
  if (!COMMANDS.includes(first)) return positionals;
  if (first === "create") return others;
  throw wrongUsage(
    `This version of create-session-app has no command ${quoted(first)} yet. A directory of that name is ${quoted(`./${first}`)}.`,
  );
}

function parse(argv: readonly string[]): { values: Map<string, string | true>; positionals: string[] } {
  const { tokens } = parseArgs({
    args: withoutPassedOnDashes(argv),
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values = new Map<string, string | true>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const option = Object.hasOwn(OPTIONS, token.name) ? OPTIONS[token.name] : undefined;
    if (option === undefined) throw unknownOption(token.rawName);
    if (option.type === "string") {
      const missing = token.value === undefined || token.value === "";
      if (missing || (!token.inlineValue && token.value?.startsWith("-"))) {
        throw wrongUsage(`${token.rawName} needs a value: ${token.rawName} ${option.value}.`);
      }
      values.set(token.name, token.value ?? "");
    } else {
      if (token.value !== undefined) throw wrongUsage(`${token.rawName} takes no value.`);
      values.set(token.name, true);
    }
  }
  return { values, positionals };
}

/** `npm create session-app app -- --yes`: npm removes the --, the other package managers pass it on when it is typed by habit. */
function withoutPassedOnDashes(argv: readonly string[]): string[] {
  const end = argv.indexOf("--");
  const isFlag = (word: string) => {
    const name = /^--([^=]+)/.exec(word)?.[1];
    return name === undefined
      ? Object.values(OPTIONS).some(({ short }) => word === `-${short}`)
      : Object.hasOwn(OPTIONS, name);
  };
  const passedOn = end >= 0 && argv.slice(end + 1).some(isFlag);
  return passedOn ? argv.toSpliced(end, 1) : [...argv];
}

function either(given: (name: string) => boolean, name: string): boolean | undefined {
  if (given(name) && given(`no-${name}`)) throw wrongUsage(`--${name} and --no-${name} contradict each other.`);
  return given(name) ? true : given(`no-${name}`) ? false : undefined;
}

function unknownOption(rawName: string): Error {
  const names = Object.keys(OPTIONS).map((name) => `--${name}`);
  const meant = rawName.startsWith("--") ? nearest(rawName, names) : undefined;
  const hint = meant === undefined ? "--help lists them all" : `Did you mean ${meant}?`;
  const ending = hint.endsWith("?") ? "" : ".";
  return wrongUsage(`Unknown option ${quoted(rawName)}${lookAlikeHint(rawName)}. ${hint}${ending}`);
}
