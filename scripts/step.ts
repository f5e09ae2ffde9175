// Runs one program of a check or a test run on this terminal.
// Change it to treat every step's output or exit code differently.

import { spawn } from "node:child_process";
import { constants } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { repository } from "./packs.ts";

const binaries = join(repository, "node_modules", ".bin");

/** Resolves to the program's exit code, as a shell would report it. The repository's tools and this very Node come first in PATH. */
export function step(file: string, args: string[], env: Record<string, string> = {}): Promise<number> {
  const path = [binaries, dirname(process.execPath), process.env.PATH].join(delimiter);
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: repository,
      stdio: "inherit",
      // On Windows, npm and the tools in node_modules/.bin are .cmd files, which only a shell can start.
      shell: process.platform === "win32" && !isAbsolute(file),
      env: { ...process.env, ...env, PATH: path },
    });
    const pass = (signal: NodeJS.Signals) => void child.kill(signal);
    // Ctrl-C reaches the child through the terminal as well; this process waits for the child to end.
    const wait = () => undefined;
    process.on("SIGINT", wait).on("SIGTERM", pass);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      process.off("SIGINT", wait).off("SIGTERM", pass);
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
}
