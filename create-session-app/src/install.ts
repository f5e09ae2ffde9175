// Runs the package manager in the new project. What it prints is kept, and shown in full when it fails.
// Change it to run it with other arguments.
import type { PackageManager } from "./package-manager.ts";
import { commands } from "./package-manager.ts";
import type { Ended } from "./program.ts";
import { runProgram } from "./program.ts";

export function installDependencies(manager: PackageManager, cwd: string, signal: AbortSignal): Promise<Ended> {
  const more = {
    npm_config_fund: "false",
    npm_config_audit: "false",
    npm_config_update_notifier: "false",
    // In CI yarn would refuse to write the first lock file.
    YARN_ENABLE_IMMUTABLE_INSTALLS: "false",
  };
  // On Windows the package managers are .cmd files, which only a shell starts; the command is ours, nothing in it is the user's.
  const options = { cwd, shell: process.platform === "win32", env: { ...process.env, ...more } };
  return runProgram(commands[manager].install.split(" "), options, signal);
}
