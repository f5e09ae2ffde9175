// What to type next: commands that work when they are pasted as they stand, for this package manager and this backend.
// Change it when starting a project takes another step.
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import type { Choice } from "./choice.ts";
import { commands } from "./package-manager.ts";

/** A page to look at, in a project that was started without any setting. A minimal one has no page at "/". */
export function pageToOpen({ minimal }: Pick<Choice, "minimal">): string {
  return `http://localhost:3000${minimal ? "/visits" : ""}`;
}

/** How far a run has come. */
export interface Progress {
  /** The dependencies are installed. */
  installed: boolean;
  /** They are, except for the Node that is pinned: its install script was not allowed to run. */
  lacksNode: boolean;
}

/** Fetches the pinned Node where install scripts are switched off. */
export const FETCH_NODE = "npm rebuild node --ignore-scripts=false";

export function nextSteps(
  { packageManager, backend }: Pick<Choice, "packageManager" | "backend">,
  directory: string,
  { installed, lacksNode }: Progress,
): string[] {
  const { install, run } = commands[packageManager];
  const steps = changeDirectory(directory);
  if (!installed) steps.push(install);
  else if (lacksNode && packageManager === "npm") steps.push(FETCH_NODE);
  if (backend.needsSettings && !existsSync(join(directory, ".env"))) {
    steps.push(`${process.platform === "win32" ? "copy" : "cp"} .env.example .env`);
  }
  if (backend.server !== null) steps.push(backend.server.start);
  steps.push(`${run} dev`);
  return steps;
}

/** Empty where the shell is in the directory already. */
export function changeDirectory(directory: string): string[] {
  const path = relative(process.cwd(), directory);
  return path === "" ? [] : [`cd ${shellWord(shorter(path, directory))}`];
}

/** Several folders up and down again are harder to read than the whole path. `cd` would take a leading dash for an option. */
function shorter(path: string, directory: string): string {
  if (/^\.\.[\\/]\.\.[\\/]/.test(path)) return directory;
  return path.startsWith("-") ? `./${path}` : path;
}

/** One word of the user's shell, whatever is in it. */
export function shellWord(text: string, windows = process.platform === "win32"): string {
  if (/^[\w./+:@,=-]+$/.test(text) || (windows && /^[\w.\\/+:@,=-]+$/.test(text))) return text;
  return windows ? `"${text}"` : `'${text.replaceAll("'", "'\\''")}'`;
}
