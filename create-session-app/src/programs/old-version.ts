// Has an earlier version of create-session-app generate a project again, into a temporary directory.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "./run.ts";

export interface Regenerated {
  files: Map<string, Uint8Array>;
  /** What went wrong, in the words of the program that failed; empty: nothing. */
  problem: string;
}

/**
 * Needs the registry, unless npm has the version in its cache. Rejects only when it is cancelled.
 * @param flags the answers, as flags that this version knows
 */
export async function regenerate(version: string, flags: readonly string[], signal: AbortSignal): Promise<Regenerated> {
  const folder = mkdtempSync(join(tmpdir(), "create-session-app-"));
  try {
    const directory = join(folder, "project");
    const command = ["npm", "exec", "--yes", `--package=create-session-app@${version}`, "--", "create-session-app"];
    const env = { ...process.env, npm_config_update_notifier: "false", npm_config_fetch_retries: "0" };
    const options = { cwd: folder, shell: process.platform === "win32", env };
    const { ok, output } = await runProgram([...command, directory, ...flags], options, signal);
    return ok ? { files: filesBelow(directory), problem: "" } : { files: new Map(), problem: output };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function filesBelow(directory: string): Map<string, Uint8Array> {
  const paths = readdirSync(directory, { recursive: true, encoding: "utf8" });
  const files = paths.filter((path) => statSync(join(directory, path)).isFile());
  return new Map(files.map((path) => [path.replaceAll("\\", "/"), readFileSync(join(directory, path))]));
}
