// Workspaces: whether the new project is a member of one, and which settings its root then needs in the project's place.
// Change it when a package manager describes its workspaces in another way.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { Manifest } from "../packs/catalog.ts";
import type { PackageManager } from "./package-manager.ts";
import { dependenciesMeta, type InstallScripts, pnpmSettings, YARN_SETTINGS } from "./package-manager.ts";

export interface Workspace {
  /** The folder of the workspace's own package.json. */
  root: string;
  manager: PackageManager;
}

/** Lines to paste into a file of the workspace's root. */
export interface Needs {
  file: string;
  lines: string[];
}

/** The nearest workspace whose patterns take in the directory. */
export function findWorkspace(directory: string, manager: PackageManager): Workspace | undefined {
  for (let root = dirname(directory); ; root = dirname(root)) {
    const patterns = manager === "pnpm" ? pnpmPatterns(root) : manifestPatterns(root);
    const path = relative(root, directory).replaceAll("\\", "/");
    if (isMember(path, patterns)) return { root, manager };
    if (root === dirname(root)) return undefined;
  }
}

/** The settings that packageManagerFiles would have put into the project, as far as the root lacks them. */
export function rootNeeds({ root, manager }: Workspace, scripts: InstallScripts): Needs[] {
  const file = manager === "pnpm" ? "pnpm-workspace.yaml" : "package.json";
  const there = read(join(root, file));
  const missing = scripts.filter(([name]) => !mentions(there, manager, name));
  const needs: Needs[] = [];
  const need = (file: string, text: string) => needs.push({ file, lines: text.trimEnd().split("\n") });
  if (missing.length > 0) {
    if (manager === "npm") need(file, member("allowScripts", Object.fromEntries(missing)));
    if (manager === "pnpm") need(file, pnpmSettings(missing));
    if (manager === "yarn") need(file, member("dependenciesMeta", dependenciesMeta(missing)));
    const trusted = missing.filter(([, allowed]) => allowed).map(([name]) => name);
    if (manager === "bun" && trusted.length > 0) need(file, member("trustedDependencies", trusted));
  }
  if (manager === "yarn" && !/^nodeLinker: *["']?node-modules/m.test(read(join(root, ".yarnrc.yml")))) {
    need(".yarnrc.yml", YARN_SETTINGS);
  }
  return needs;
}

/** One member of a JSON object, as it stands in package.json. */
function member(key: string, value: unknown): string {
  return JSON.stringify({ [key]: value }, null, 2)
    .split("\n")
    .slice(1, -1)
    .map((line) => line.slice(2))
    .join("\n");
}

/** Whether the root already says something about this dependency's install scripts. */
function mentions(text: string, manager: PackageManager, name: string): boolean {
  if (manager === "pnpm")
    return text.split("\n").some((line) => line.trim().replaceAll(/["']/g, "").startsWith(`${name}:`));
  const { allowScripts = {}, dependenciesMeta = {}, trustedDependencies = [] } = parse(text);
  const names = [...Object.keys({ ...(allowScripts as object), ...(dependenciesMeta as object) })];
  return [...names, ...(trustedDependencies as string[])].includes(name);
}

function manifestPatterns(root: string): string[] {
  const { workspaces } = parse(read(join(root, "package.json")));
  const patterns = Array.isArray(workspaces) ? workspaces : (workspaces as Manifest | undefined)?.packages;
  return Array.isArray(patterns) ? patterns.filter((pattern) => typeof pattern === "string") : [];
}

/** The list `packages` of pnpm-workspace.yaml, in either of the forms that YAML has for one. */
function pnpmPatterns(root: string): string[] {
  const [, flow = "", block = ""] =
    /^packages:[ \t]*(?:\[([^\]]*)\]|(?:#.*)?\r?\n((?:[ \t]*(?:-[^\n]*|#[^\n]*)?(?:\n|$))*))/m.exec(
      read(join(root, "pnpm-workspace.yaml")),
    ) ?? [];
  const items = [...flow.split(","), ...[...block.matchAll(/^[ \t]*-(.*)$/gm)].map(([, item = ""]) => item)];
  return items
    .map((item) => /^\s*(?:"(.*?)"|'(.*?)'|([^#]*))/.exec(item)?.slice(1).find(Boolean)?.trim() ?? "")
    .filter(Boolean);
}

/** Patterns that begin with "!" take out what others have taken in. */
function isMember(path: string, patterns: readonly string[]): boolean {
  const taken = patterns.filter((pattern) => !pattern.startsWith("!"));
  const left = patterns.filter((pattern) => pattern.startsWith("!")).map((pattern) => pattern.slice(1));
  return taken.some((pattern) => matches(path, pattern)) && !left.some((pattern) => matches(path, pattern));
}

/** The globs that package managers document for workspaces: "packages/*", "apps/**", "tools/{a,b}". */
function matches(path: string, glob: string): boolean {
  const pattern = glob
    .replace(/^\.\//, "")
    .replace(/\/+$/, "")
    .replace(/\*\*\/|\*\*|\*|\?|\{[^{}]*\}|[.+^$()|[\]\\]/g, (token) => {
      if (token === "**/") return "(?:.*/)?";
      if (token === "**") return ".*";
      if (token === "*") return "[^/]*";
      if (token === "?") return "[^/]";
      if (token.startsWith("{")) return `(?:${token.slice(1, -1).split(",").map(escapeRegExp).join("|")})`;
      return escapeRegExp(token);
    });
  return new RegExp(`^${pattern}$`).test(path);
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function read(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

/** A package.json that isn't one says nothing. */
function parse(text: string): Manifest {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Manifest) : {};
  } catch {
    return {};
  }
}
