// What to type next: commands that work when they are pasted as they stand, for this package manager and this backend.
// Change it when starting a project takes another step.
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import type { Answers } from "./answers.ts";
import type { Pack } from "./catalog.ts";
import { commands } from "./package-manager.ts";

/** The address of a project that was started without any setting. */
export const ADDRESS = "http://localhost:3000";

export function nextSteps(answers: Answers, directory: string, installed: boolean): string[] {
  const { install, run } = commands[answers.packageManager];
  const steps: string[] = [];
  const way = relative(process.cwd(), directory);
  if (way !== "") steps.push(`cd ${shellWord(wayTo(way, directory))}`);
  if (!installed) steps.push(install);
  if (needsSettings(answers.backend) && !existsSync(join(directory, ".env"))) {
    steps.push(`${process.platform === "win32" ? "copy" : "cp"} .env.example .env`);
  }
  if (answers.backend.server !== null) steps.push(answers.backend.server.start);
  steps.push(`${run} dev`);
  return steps;
}

/** Whether a project doesn't start before some setting of its store is given. */
export function needsSettings({ environment }: Pack): boolean {
  return environment.some(({ optional }) => !optional);
}

/** A long way up is harder to read than the whole path. A name that starts with a dash would be taken for an option. */
function wayTo(way: string, directory: string): string {
  if (/^\.\.[\\/]\.\.[\\/]/.test(way)) return directory;
  return way.startsWith("-") ? `./${way}` : way;
}

/** One word of the user's shell, whatever is in it. */
export function shellWord(text: string, windows = process.platform === "win32"): string {
  if (/^[\w./+:@,=-]+$/.test(text) || (windows && /^[\w.\\/+:@,=-]+$/.test(text))) return text;
  return windows ? `"${text}"` : `'${text.replaceAll("'", "'\\''")}'`;
}
