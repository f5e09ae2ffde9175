// Reads the command line: which command, and what its flags and the directory say. Nothing is asked or guessed here.
// Change it to add a flag: --help shows the table below as well.
import { parseArgs } from "node:util";
import { wrongUsage } from "./failure.ts";
import { refuseOptionsKeptByNpm } from "./kept-by-npm.ts";
import { lookAlikeHint, nearest, oneOf, quoted } from "./wording.ts";

/** The commands of this version. Without one, a project is made. */
export const COMMANDS = {
  create: "make a project",
  add: "add sessions to an app that is there; what is in it stays",
  update: "bring a project to this version; what you have made of it stays",
  switch: "give a project another backend or framework; what you have made of it stays",
  doctor: "say what a project lacks: security fixes, safe settings; and what you have edited",
} as const;

export type Command = keyof typeof COMMANDS;

/** What the command line says. What it leaves out is undefined. */
export interface Flags {
  command: Command;
  directory?: string;
  framework?: string;
  backend?: string;
  keepStore: boolean;
  name?: string;
  pm?: string;
  install?: boolean;
  git?: boolean;
  minimal: boolean;
  yes: boolean;
  dryRun: boolean;
  json: boolean;
  overwrite: boolean;
  force: boolean;
  check: boolean;
  diff: boolean;
  continue: boolean;
  restore: readonly string[];
  base?: string;
  help: boolean;
  version: boolean;
  list: boolean;
}

interface Option {
  type: "string" | "boolean";
  short?: string;
  value?: string;
  help: string;
  /** The commands that know it; left out: `create` alone. */
  commands?: readonly Command[];
}

const ALL = Object.keys(COMMANDS) as Command[];
const MERGING: Command[] = ["update", "switch"];
const CHANGING: Command[] = ["add", ...MERGING];
const WRITING: Command[] = ["create", ...CHANGING];
const CHOOSING: Command[] = ["create", "add", "switch"];

export const OPTIONS: Record<string, Option> = {
  framework: { type: "string", short: "f", value: "ID", help: "the web framework", commands: CHOOSING },
  backend: {
    type: "string",
    short: "b",
    value: "ID",
    help: "where sessions are stored",
    commands: CHOOSING,
  },
  yes: { type: "boolean", short: "y", help: "take the default for everything not given", commands: ["create", "add"] },
  "keep-store": {
    type: "boolean",
    help: "keep the code of the present store, to copy its sessions",
    commands: ["switch"],
  },
  name: { type: "string", value: "NAME", help: "the package's name (default: the directory's)" },
  pm: { type: "string", value: "PM", help: "npm, pnpm, yarn or bun (default: the one that ran this)" },
  minimal: { type: "boolean", help: "leave out the example: the wiring, one route and its test remain" },
  install: { type: "boolean", help: "install the dependencies", commands: WRITING },
  "no-install": { type: "boolean", help: "don't install the dependencies", commands: WRITING },
  git: { type: "boolean", help: "make a git repository" },
  "no-git": { type: "boolean", help: "don't make a git repository" },
  "dry-run": { type: "boolean", help: "show what would be written, write nothing", commands: WRITING },
  json: { type: "boolean", help: "print one JSON document, ask nothing", commands: ALL },
  overwrite: { type: "boolean", help: "replace files that are in the way" },
  check: { type: "boolean", help: "write nothing; exit 1 when there is something to take", commands: CHANGING },
  diff: { type: "boolean", help: "show what would change, write nothing", commands: CHANGING },
  force: { type: "boolean", help: "go on although changes are not committed", commands: CHANGING },
  continue: { type: "boolean", help: "finish an update whose conflicts are settled", commands: ["update"] },
  restore: { type: "string", value: "PATH", help: "bring back a file that you have deleted", commands: ["update"] },
  base: { type: "string", value: "DIR", help: "the project as it was generated", commands: MERGING },
  list: { type: "boolean", help: "list frameworks and backends, with versions" },
  help: { type: "boolean", short: "h", help: "show this", commands: ALL },
  version: { type: "boolean", short: "v", help: "show the version", commands: ALL },
};

/** @param env the environment, which shows whether npm has kept options for itself */
export function readArguments(argv: readonly string[], env: NodeJS.ProcessEnv): Flags {
  const { values, positionals } = parse(argv);
  const text = (name: string) => values.get(name)?.at(-1);
  const given = (name: string) => values.has(name);
  refuseOptionsKeptByNpm(given, positionals.length, env);
  const { command, directories } = splitCommand(positionals);
  for (const name of values.keys()) mustKnow(command, name);
  if (directories.length > 1) {
    const listed = directories.slice(0, 3).map(quoted).join(" and ");
    throw wrongUsage(`One directory at most, not ${listed}. A name with spaces needs quotes.`);
  }
  if (directories[0] === "") throw wrongUsage("The directory's name is empty.");
  return {
    command,
    directory: directories[0],
    framework: text("framework"),
    backend: text("backend"),
    keepStore: given("keep-store"),
    name: text("name"),
    pm: text("pm"),
    install: either(given, "install"),
    git: either(given, "git"),
    minimal: given("minimal"),
    yes: given("yes"),
    dryRun: given("dry-run"),
    json: given("json"),
    overwrite: given("overwrite"),
    force: given("force"),
    check: given("check"),
    diff: given("diff"),
    continue: given("continue"),
    restore: values.get("restore") ?? [],
    base: text("base"),
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
function splitCommand(positionals: readonly string[]): { command: Command; directories: readonly string[] } {
  const [first = "", ...others] = positionals;
  if (Object.hasOwn(COMMANDS, first)) return { command: first as Command, directories: others };
  return { command: "create", directories: positionals };
}

function mustKnow(command: Command, name: string): void {
  const { commands = ["create"] } = OPTIONS[name] ?? {};
  if (commands.includes(command)) return;
  throw wrongUsage(
    `${command} takes no --${name}, only ${oneOf(commands, "and")} ${commands.length > 1 ? "do" : "does"}.`,
  );
}

/** By long name, what an option was given; nothing for one without a value. */
function parse(argv: readonly string[]): { values: Map<string, string[]>; positionals: string[] } {
  const { tokens } = parseArgs({
    args: withoutPassedOnDashes(argv),
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values = new Map<string, string[]>();
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
      values.set(token.name, [...(values.get(token.name) ?? []), token.value ?? ""]);
    } else {
      if (token.value !== undefined) throw wrongUsage(`${token.rawName} takes no value.`);
      values.set(token.name, []);
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
