// Runs the package manager in the new project. What it prints is kept, and shown in full when it fails.
// Change it to run it with other arguments.
import type { Ended } from "./run.ts";
import { runProgram } from "./run.ts";

/** Flags by which each package manager installs dev dependencies, whatever its configuration files say. */
const WITH_DEV_DEPENDENCIES: Record<string, string[]> = {
  npm: ["--include=dev"],
  pnpm: ["--prod=false"],
  // yarn 4 has no such flag, and always installs them; yarn 1 is given its setting as a variable.
  yarn: [],
  bun: [],
};

/** @param command the package manager and its command, as a person would type it: "npm install" */
export function installDependencies(command: string, cwd: string, signal: AbortSignal): Promise<Ended> {
  const [manager = "", ...parameters] = command.split(" ");
  // On Windows the package managers are .cmd files, which only a shell starts; the command is ours, nothing in it is the user's.
  const options = { cwd, shell: process.platform === "win32", env: environment(manager) };
  return runProgram([manager, ...parameters, ...(WITH_DEV_DEPENDENCIES[manager] ?? [])], options, signal);
}

function environment(manager: string): NodeJS.ProcessEnv {
  // NODE_ENV=production, which many a build server and shell sets, leaves dev dependencies out.
  const { NODE_ENV: _, ...inherited } = process.env;
  return {
    ...inherited,
    npm_config_fund: "false",
    npm_config_audit: "false",
    npm_config_update_notifier: "false",
    ...(manager === "yarn"
      ? {
          // yarn 1 reads npm's settings. Its own have precedence, but then it is told so in the project's directory.
          npm_config_production: "false",
          // In CI yarn 4 would refuse to write the first lock file.
          YARN_ENABLE_IMMUTABLE_INSTALLS: "false",
        }
      : {}),
  };
}
