// What a project and its directory may be called: npm's rules for names, and the names that some system can't hold.
// Change it when npm changes its rules.
import { existsSync, realpathSync } from "node:fs";
import { builtinModules } from "node:module";
import { homedir } from "node:os";
import { basename, delimiter, dirname, join, resolve, sep } from "node:path";
import { isTreacherous, quoted } from "../command-line/wording.ts";

const WINDOWS_DEVICES = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?$/i;

/** Why npm wouldn't take this name for a new package; undefined when it would. */
export function nameProblem(name: string): string | undefined {
  if (name === "") return "it is empty";
  if (name.trim() !== name) return "it starts or ends with a space";
  if (name.length > 214) return `it is ${name.length} characters long, and 214 is the most`;
  const scoped = /^@([^/]+)\/([^/]+)$/.exec(name);
  const parts = scoped ? [scoped[1] ?? "", scoped[2] ?? ""] : [name];
  for (const part of parts) {
    if (/^[._-]/.test(part)) return `it starts with "${part[0]}"`;
    if (/[A-Z]/.test(part)) return "it has capital letters";
    if (!/^[a-z0-9._-]+$/.test(part)) return "only a to z, 0 to 9 and - . _ may be in it";
  }
  if (name === "node_modules" || name === "favicon.ico") return "npm reserves it";
  if (builtinModules.includes(name)) return "a module of Node has that name";
  return undefined;
}

/** A valid package name as near as possible to a directory's; empty when nothing of it can be kept. */
export function nameFromDirectory(directory: string): string {
  const given = basename(directory);
  if (nameProblem(given) === undefined) return given;
  const name = given
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+|[._-]+$/g, "")
    .slice(0, 214);
  if (nameProblem(name) === undefined) return name;
  return name === "" ? "" : nameProblem(`${name}-app`) === undefined ? `${name}-app` : "";
}

/** Why a project can't live in a directory that was given like this; undefined when it can. */
export function directoryProblem(given: string): string | undefined {
  if (!given.isWellFormed()) return "one of its characters is incomplete";
  if (isTreacherous(given)) return "it has control or invisible characters in it";
  if (/^~($|[\\/])/.test(given)) {
    return `only a shell takes "~" for your home directory. Give ${quoted(join(homedir(), given.slice(1)))}`;
  }
  const names = [...given.split(/[\\/]/), basename(resolve(given))];
  const device = names.find((name) => WINDOWS_DEVICES.test(name));
  if (device !== undefined) return `Windows reserves the name ${quoted(device)} for a device`;
  const length = Math.max(...names.map((name) => Buffer.byteLength(name)));
  if (length > 255) return `its name is ${length} bytes long, and 255 is the most`;
  return runtimeProblem(resolve(given)) ?? runtimeProblem(realPath(resolve(given)));
}

/** Why a project could be written to this path, and never run there. */
function runtimeProblem(path: string): string | undefined {
  if (path.includes(delimiter)) {
    return `${quoted(delimiter)} separates the folders in PATH, so the project's own programs would not be found below it`;
  }
  if (path.split(sep).includes("node_modules")) return "Node runs no TypeScript below a folder called node_modules";
  return undefined;
}

/** The path with all symbolic links in it resolved, as far as it exists. */
function realPath(path: string): string {
  if (existsSync(path)) return realpathSync.native(path);
  // The root is its own parent.
  return dirname(path) === path ? path : join(realPath(dirname(path)), basename(path));
}
