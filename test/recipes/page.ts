// A recipe's page as its reader would follow it: the frameworks that it is for, what it installs, and its blocks of code.
// Change it when pages get another kind of block; docs/recipes/README.md says which there are.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../../scripts/packs.ts";

export const recipes = join(repository, "docs", "recipes");

/** What the line above a block says is to be done with it. */
export type Step = "New file" | "Write" | "Replace" | "In" | "Add to";

export interface Block {
  step: Step;
  /** The file in the project that the block is about. */
  file: string;
  /** The frameworks that it is for, where a page for several has blocks of their own for some. */
  frameworks: string[] | undefined;
  /** Whether it is left out where the project was made with --minimal, or its example was deleted. */
  forExample: boolean;
  text: string;
}

export interface Page {
  name: string;
  /** Ids of frameworks, by the line "For Express and Koa." */
  frameworks: string[];
  /** Their names, as the line gives them. */
  titles: string[];
  blocks: Block[];
  /** What `npm install` is given in its blocks of commands. */
  dependencies: string[];
  devDependencies: string[];
  /** What `npm create session-app@latest` is given in its blocks of commands; undefined where the project is there already. */
  create: string[] | undefined;
  /** Its other commands, in their order: words as a shell would see them. */
  commands: string[][];
  /** By the line "Tested with …": versions by package. */
  versions: Record<string, string>;
  /** Pages that come first, by the line "It builds on [title](page.md)." */
  foundations: string[];
}

/** Ids by title: those that projects are generated for, and those that have a folder in apps/. */
const FRAMEWORKS: Record<string, string> = {
  Express: "express",
  Fastify: "fastify",
  Hono: "hono",
  Koa: "koa",
  "node:http": "node",
  SvelteKit: "sveltekit",
  Astro: "astro",
  NestJS: "nestjs",
  "Next.js": "nextjs",
  "React Router": "react-router",
};

export function readPages(): Page[] {
  return readdirSync(recipes)
    .filter((file) => file.endsWith(".md") && file !== "README.md")
    .sort()
    .map((file) => readPage(file.slice(0, -".md".length)));
}

export function readPage(name: string): Page {
  const text = readFileSync(join(recipes, `${name}.md`), "utf8");
  const lines = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, code = ""]) => code.trim().split("\n"));
  const commands = lines.map((line) => line.split(" "));
  const installs = commands.filter(isInstall).map(readInstall);
  const create = commands.find(isCreate);
  return {
    name,
    frameworks: readFrameworks(name, text),
    titles: frameworkLine(name, text).split(SEPARATOR),
    blocks: readBlocks(name, text),
    dependencies: installs.filter(({ dev }) => !dev).flatMap(({ packages }) => packages),
    devDependencies: installs.filter(({ dev }) => dev).flatMap(({ packages }) => packages),
    create: create?.slice(3).filter((word) => word !== "--"),
    commands: commands.filter((words) => !isInstall(words) && !isCreate(words)),
    versions: readVersions(name, text),
    foundations: [...text.matchAll(/^It builds on (.*)\.$/gm)].flatMap(([, list = ""]) =>
      [...list.matchAll(/\(([\w-]+)\.md\)/g)].map(([, page = ""]) => page),
    ),
  };
}

const SEPARATOR = /, | and | or /;

function readFrameworks(name: string, text: string): string[] {
  return readTitles(name, frameworkLine(name, text));
}

function frameworkLine(name: string, text: string): string {
  const line = /^For (.+?)\. Tested with/m.exec(text)?.[1];
  if (line === undefined) throw new Error(`${name}: no line "For Express and Koa. Tested with …"`);
  return line;
}

function readTitles(name: string, list: string): string[] {
  return list.split(SEPARATOR).map((title) => {
    const id = FRAMEWORKS[title];
    if (id === undefined) throw new Error(`${name}: "${title}" is no framework`);
    return id;
  });
}

function readVersions(name: string, text: string): Record<string, string> {
  const line = /Tested with ((?:.|\n)+?)\.\n/.exec(text)?.[1];
  if (line === undefined) throw new Error(`${name}: nothing says which versions it was tested with`);
  const versions = line.split(/,\s+|\s+and\s+/).map((part) => /^(\S+)\s+(\d\S*)$/.exec(part));
  return Object.fromEntries(versions.flatMap((match) => (match === null ? [] : [[match[1], match[2]]])));
}

const BLOCK =
  /^(?:(New file|Write|Replace|In|Add to) `([^`]+)`(?: by)?(?:, with ([\w.:]+(?:, [A-Z][\w.:]+)*(?: or [\w.:]+)?))?(, [^\n]+?)?:\n\n)?```(\w+)\n([\s\S]*?)^```$/gm;

const FOR_EXAMPLE = ", if the project has the example";

function readBlocks(name: string, text: string): Block[] {
  return [...text.matchAll(BLOCK)].flatMap(([, step, file, titles, more, language = "", code = ""]) => {
    if (language === "sh" && step === undefined) return [];
    if (step === undefined || file === undefined) {
      throw new Error(`${name}: nothing says to what file this belongs\n${code}`);
    }
    if ((step === "In") !== (language === "diff")) throw new Error(`${name}: "${step}" doesn't go with ${language}`);
    const frameworks = titles === undefined ? undefined : readTitles(name, titles);
    return [{ step: step as Step, file, frameworks, forExample: more === FOR_EXAMPLE, text: code }];
  });
}

function isInstall([npm, install]: string[]): boolean {
  return npm === "npm" && install === "install";
}

function isCreate([npm, create, name]: string[]): boolean {
  return npm === "npm" && create === "create" && name === "session-app@latest";
}

function readInstall(words: string[]): { dev: boolean; packages: string[] } {
  return { dev: words.includes("-D"), packages: words.slice(2).filter((word) => word !== "-D") };
}

/**
 * Applies a diff without line numbers. What it takes away, with the unchanged lines around it, must be there exactly once.
 * "@@" parts one place from the next.
 */
export function applyDiff(text: string, diff: string, where: string): string {
  return diff.split(/^@@.*\n/m).reduce((current, part) => applyPart(current, part, where), text);
}

function applyPart(text: string, part: string, where: string): string {
  const lines = part.split("\n").slice(0, -1);
  const side = (left: string) =>
    lines
      .filter((line) => line === "" || line.startsWith(" ") || line.startsWith(left))
      .map((line) => `${line.slice(1)}\n`)
      .join("");
  const before = side("-");
  const places = before === "" ? 0 : text.split(before).length - 1;
  if (places !== 1) throw new Error(`${where}: these lines are there ${places} times\n${before}`);
  return text.replace(before, () => side("+"));
}
