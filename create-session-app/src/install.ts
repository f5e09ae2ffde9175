// Runs the package manager in the new project. What it prints is kept, and shown in full when it fails.
// Change it to run it with other arguments.
import { spawn } from "node:child_process";
import { cancelled } from "./failure.ts";
import type { PackageManager } from "./package-manager.ts";
import { commands } from "./package-manager.ts";

export interface Outcome {
  ok: boolean;
  output: string;
}

/** Rejects only when it is cancelled, and then not before the package manager has ended. */
export function installDependencies(manager: PackageManager, directory: string, signal: AbortSignal): Promise<Outcome> {
  signal.throwIfAborted();
  const windows = process.platform === "win32";
  // On Windows the package managers are .cmd files, which only a shell starts; the command is ours, nothing in it is the user's.
  const [program = manager, ...parameters] = commands[manager].install.split(" ");
  const child = spawn(program, parameters, {
    cwd: directory,
    shell: windows,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, npm_config_fund: "false", npm_config_audit: "false", npm_config_update_notifier: "false" },
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve, reject) => {
    let killer: NodeJS.Timeout | undefined;
    const stop = () => {
      child.kill("SIGTERM");
      killer = setTimeout(() => child.kill("SIGKILL"), 5000);
    };
    signal.addEventListener("abort", stop, { once: true });
    const end = (ok: boolean, more: string) => {
      signal.removeEventListener("abort", stop);
      clearTimeout(killer);
      if (signal.aborted) reject(cancelled());
      else resolve({ ok, output: `${Buffer.concat(chunks).toString("utf8")}${more}`.trim() });
    };
    child.on("error", (error: NodeJS.ErrnoException) => {
      end(false, error.code === "ENOENT" ? `${program}: not found. Is it installed?` : error.message);
    });
    child.on("close", (code, ending) => end(code === 0, ending === null ? "" : `It was ended by ${ending}.`));
  });
}
