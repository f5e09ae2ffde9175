// Flags and the directory, from the command line to what is already known; nothing is asked or guessed here.
// Change it to add a flag: the table below is also what --help shows.
import { parseArgs } from "node:util";
import { wrongUsage } from "./failure.ts";
import { lookAlikeHint, nearest, oneOf, quoted } from "./wording.ts";

/** What the command line says. What it leaves out is undefined. */
export interface Flags {
  directory?: string;
  framework?: string;
  backend?: string;
  name?: string;
  pm?: string;
  install?: boolean;
  git?: boolean;
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

export function readArguments(argv: readonly string[]): Flags {
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
  if (positionals.length > 1) {
    const listed = positionals.slice(0, 3).map(quoted).join(" and ");
    throw wrongUsage(`One directory at most, not ${listed}. A name with spaces needs quotes.`);
  }
  if (positionals[0] === "") throw wrongUsage("The directory's name is empty.");
  const text = (name: string) => values.get(name) as string | undefined;
  const given = (name: string) => values.has(name);
  return {
    directory: positionals[0],
    framework: text("framework"),
    backend: text("backend"),
    name: text("name"),
    pm: text("pm"),
    install: either(given, "install"),
    git: either(given, "git"),
    yes: given("yes"),
    dryRun: given("dry-run"),
    json: given("json"),
    overwrite: given("overwrite"),
    help: given("help"),
    version: given("version"),
    list: given("list"),
  };
}

/** `npm create session-app app -- --yes`: npm takes the -- away, the other package managers pass it on when it is typed by habit. */
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

/** Wanted before the arguments are read, since a mistake among them is reported as JSON too. */
export function asksForJson(argv: readonly string[]): boolean {
  return argv.includes("--json");
}

/** The one of `known` that `word` is, or a failure that says which there are. */
export function choose<Known extends string>(what: string, word: string, known: readonly Known[]): Known {
  const found = known.find((candidate) => candidate === word);
  if (found !== undefined) return found;
  const meant = nearest(word, known);
  const hint = meant === undefined ? "" : ` Did you mean ${quoted(meant)}?`;
  throw wrongUsage(`Unknown ${what} ${quoted(word)}${lookAlikeHint(word)}.${hint} There is ${oneOf(known, "and")}.`, {
    known,
    ...(meant === undefined ? {} : { meant }),
  });
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
