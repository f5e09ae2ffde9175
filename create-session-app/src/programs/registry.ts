// Runs npm in a temporary folder, to get something from the registry that this run needs and nobody keeps.
// Change it when npm should be run otherwise.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ended } from "./run.ts";
import { runProgram } from "./run.ts";

/**
 * Needs the network, unless npm has in its cache what it is asked for. Rejects only when it is cancelled, or when `use` does.
 * @param use is given the folder, which is gone afterwards
 */
export async function withNpm<Result>(
  parametersIn: (folder: string) => readonly string[],
  use: (folder: string, ended: Ended) => Result | Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "create-session-app-"));
  try {
    const env = { ...process.env, npm_config_update_notifier: "false", npm_config_fetch_retries: "0" };
    const options = { cwd: folder, shell: process.platform === "win32", env };
    return await use(folder, await runProgram(["npm", ...parametersIn(folder)], options, signal));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
