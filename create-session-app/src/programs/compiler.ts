// Asks an app's own TypeScript for the options that it is compiled with, those included that its tsconfig.json takes from elsewhere.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { runProgram } from "./run.ts";

export interface Compiler {
  version: string;
  options: Record<string, unknown>;
}

/** Undefined where it isn't installed, or can't read its settings. Rejects only when it is cancelled. */
export async function compilerOf(directory: string, signal: AbortSignal): Promise<Compiler | undefined> {
  const folder = packageFolder(directory);
  if (folder === undefined) return undefined;
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const command = [process.execPath, join(folder, "bin", "tsc"), "--showConfig", "-p", "."];
  const { ok, output } = await runProgram(command, { cwd: directory }, signal);
  if (!ok) return undefined;
  return { version, options: JSON.parse(output).compilerOptions ?? {} };
}

function packageFolder(directory: string): string | undefined {
  try {
    return dirname(createRequire(join(directory, "package.json")).resolve("typescript/package.json"));
  } catch {
    return undefined;
  }
}
