// Runs another program to its end and keeps its output. When the run is cancelled, the program and all that it has started end too.
// Change it to run programs otherwise; install.ts and git.ts say which.
import type { SpawnOptions } from "node:child_process";
import { spawn } from "node:child_process";
import { cancelled } from "../command-line/failure.ts";

export interface Ended {
  ok: boolean;
  /** There is no such program. */
  missing: boolean;
  output: string;
}

/** Rejects only when it is cancelled, and then not before the program has ended. */
export function runProgram(
  [program = "", ...parameters]: readonly string[],
  options: SpawnOptions,
  signal: AbortSignal,
): Promise<Ended> {
  signal.throwIfAborted();
  const windows = process.platform === "win32";
  // A group of its own: what is called npm is often a script that starts the real one, and would end without it.
  const child = spawn(program, parameters, { ...options, detached: !windows, stdio: ["ignore", "pipe", "pipe"] });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => chunks.push(chunk));
  const kill = (name: NodeJS.Signals) => {
    try {
      if (windows || child.pid === undefined) child.kill(name);
      else process.kill(-child.pid, name);
    } catch {
      // It has just ended.
    }
  };
  return new Promise((resolve, reject) => {
    let killer: NodeJS.Timeout | undefined;
    const stop = () => {
      kill("SIGTERM");
      killer = setTimeout(() => {
        kill("SIGKILL");
        for (const stream of [child.stdout, child.stderr]) stream?.destroy();
      }, 5000);
    };
    signal.addEventListener("abort", stop, { once: true });
    const end = (ok: boolean, more: string, missing = false) => {
      signal.removeEventListener("abort", stop);
      clearTimeout(killer);
      if (signal.aborted) reject(cancelled());
      else resolve({ ok, missing, output: `${Buffer.concat(chunks).toString("utf8")}${more}`.trim() });
    };
    child.on("error", (error: NodeJS.ErrnoException) => {
      const missing = error.code === "ENOENT";
      end(false, missing ? `${program}: not found. Is it installed?` : error.message, missing);
    });
    child.on("close", (code, ending) => end(code === 0, ending === null ? "" : `It was ended by ${ending}.`));
  });
}
