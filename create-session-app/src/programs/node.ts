// Finds out which Node the scripts of a project run on.
import { delimiter, dirname, join } from "node:path";
import { runProgram } from "./run.ts";

/** The version, like "24.1.0", of the `node` that `npm run` and its kin find; undefined: there is none. Rejects only when it is cancelled. */
export async function nodeOfScripts(directory: string, signal: AbortSignal): Promise<string | undefined> {
  // They look into node_modules/.bin of the project and of the folders above it first.
  const folders: string[] = [];
  for (let folder = directory; folder !== dirname(folder); folder = dirname(folder)) {
    folders.push(join(folder, "node_modules", ".bin"));
  }
  // Windows calls it Path.
  const variable = Object.keys(process.env).find((name) => name.toUpperCase() === "PATH") ?? "PATH";
  const env = { ...process.env, [variable]: [...folders, process.env[variable]].join(delimiter) };
  const { ok, output } = await runProgram(
    ["node", "--version"],
    { cwd: directory, env, shell: process.platform === "win32" },
    signal,
  );
  return ok ? /v(\d+\.\d+\.\d+)/.exec(output)?.[1] : undefined;
}
