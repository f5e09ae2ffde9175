// Runs the package manager in the new project. What it prints is kept, and shown in full when it fails.
// Change it to run it with other arguments.
import type { SpawnOptions } from "node:child_process";
import type { Ended } from "./run.ts";
import { runProgram } from "./run.ts";

/**
 * Installs all dependencies, those for development too, whatever the machine's settings say: the project's scripts need them.
 * @param command the package manager and its command, as a person would type it: "npm install"
 */
export async function installDependencies(command: string, cwd: string, signal: AbortSignal): Promise<Ended> {
  const [manager = "", ...parameters] = command.split(" ");
  // On Windows the package managers are .cmd files, which only a shell starts; the command is ours, nothing in it is the user's.
  const options = { cwd, shell: process.platform === "win32", env: environment() };
  const flags = await developmentFlags(manager, options, signal);
  return runProgram([manager, ...parameters, ...flags], options, signal);
}

/** The flags that outweigh a configuration file which leaves dev dependencies out. */
async function developmentFlags(manager: string, options: SpawnOptions, signal: AbortSignal): Promise<string[]> {
  if (manager === "npm") return ["--include=dev"];
  if (manager === "pnpm") return ["--prod=false"];
  if (manager === "yarn") {
    // Only yarn 1 can leave them out, and only yarn 1 has this flag.
    const { output } = await runProgram(["yarn", "--version"], options, signal);
    return output.startsWith("1.") ? ["--production=false"] : [];
  }
  return [];
}

/** Variables by which many a build server leaves dev dependencies out. */
const LEAVES_OUT = /^(NODE_ENV|npm_config_(omit|only|production))$/i;

function environment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !LEAVES_OUT.test(name));
  return {
    ...Object.fromEntries(inherited),
    npm_config_fund: "false",
    npm_config_audit: "false",
    npm_config_update_notifier: "false",
    // In CI yarn 4 would refuse to write the first lock file.
    YARN_ENABLE_IMMUTABLE_INSTALLS: "false",
  };
}
