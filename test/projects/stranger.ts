// What someone without this repository does with a project: generates it, installs it, types a command in its folder.
// Change it when the first steps in a project's README change.

import { spawn } from "node:child_process";
import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Pair, repository } from "../../scripts/packs.ts";

export interface Outcome {
  code: number | null;
  /** stdout and stderr, as they came. */
  output: string;
}

/** What vitest and `npm test` add to the environment; a user's shell has none of it. */
const ADDED =
  /^(npm_package_|npm_lifecycle_|npm_command$|npm_config_(local_prefix|user_agent|allow_scripts)$|INIT_CWD$|VITEST|VITE_|NODE_ENV$|(TEST|DEV|PROD|MODE|SSR|BASE_URL)$|TEST_SERVERS$)/;

function environment(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  return { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !ADDED.test(name))), ...more };
}

/** Runs a command in a folder to its end. */
export function command(folder: string, line: string[], env: Record<string, string> = {}): Promise<Outcome> {
  const [file = "", ...args] = line;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd: folder, env: environment(env), stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const collect = (text: Buffer) => {
      output += text;
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

/** Where a pair's project is made: outside of the repository, whose files and modules it must not find. */
export function place(): Promise<string> {
  return mkdtemp(join(tmpdir(), "session-project-"));
}

export function generate(folder: string, name: string, { framework, backend }: Pair): Promise<Outcome> {
  const cli = join(repository, "create-session-app", "src", "cli.ts");
  const answers = [name, "--framework", framework, "--backend", backend, "--yes", "--no-git", "--no-install"];
  return command(folder, [process.execPath, cli, ...answers]);
}

export function install(project: string): Promise<Outcome> {
  return command(project, ["npm", "install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=warn"]);
}

/** Every file of the project, by its path in it; what was installed is not the project's. */
export async function filesOf(project: string): Promise<string[]> {
  const found: string[] = [];
  async function walk(folder: string): Promise<void> {
    for (const entry of await readdir(join(project, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (!entry.isDirectory()) found.push(path);
      else if (entry.name !== "node_modules") await walk(path);
    }
  }
  await walk("");
  return found.sort();
}
