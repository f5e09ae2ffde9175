// What every `npm run` of this repository starts with: installs what is missing, then runs the command on a current Node.
// Change it when a command is added. Plain JavaScript without imports from npm: it runs on Node 20, before anything is installed.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The file that does the work, from the repository's root.
 * @type {Record<string, string>}
 */
const COMMANDS = {
  create: "create-session-app/src/cli.ts",
  test: "scripts/test.ts",
  "test:fast": "scripts/test.ts",
  check: "scripts/check.ts",
  bench: "scripts/bench.ts",
};
const NEEDED_NODE = 24;

const repository = join(dirname(fileURLToPath(import.meta.url)), "..");
const modules = join(repository, "node_modules");
const [command, ...rest] = process.argv.slice(2);

/** Whether a signal has asked to stop. */
let interrupted = false;

/**
 * Runs a program on this terminal; resolves to its exit code, as a shell would give it.
 * @param {string} file
 * @param {string[]} args
 * @param {import("node:child_process").SpawnOptions} options
 * @returns {Promise<number>}
 */
function run(file, args, options) {
  return new Promise((resolve) => {
    // Ctrl-C reaches the child through the terminal as well; receiving it twice does no harm. The exit code is the child's.
    const pass = (/** @type {NodeJS.Signals} */ signal) => {
      interrupted = true;
      child.kill(signal);
    };
    // Before spawning, since the child may be running before spawn returns.
    process.on("SIGINT", pass).on("SIGTERM", pass).on("SIGHUP", pass);
    const child = spawn(file, args, options);
    child.on("error", (error) => {
      console.error(`${file} can't be run: ${error.message}`);
      resolve(127);
    });
    child.on("close", (code, signal) => {
      process.off("SIGINT", pass).off("SIGTERM", pass).off("SIGHUP", pass);
      resolve(code ?? (interrupted ? 130 : 128 + (signal ? constants.signals[signal] : 0)));
    });
  });
}

/** Installs the dependencies unless they are there; resolves to npm's exit code. */
async function install() {
  const lock = createHash("sha256")
    .update(readFileSync(join(repository, "package-lock.json")))
    .digest("hex");
  const stamp = join(modules, ".installed-lock");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return 0;
  if (!installedByHand()) {
    console.error("Installing this repository's tools (once; about a minute) …");
    const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
    // npm's output goes to stderr too: stdout belongs to the command. On Windows npm is npm.cmd, which only a shell starts.
    const shell = process.platform === "win32";
    const code = await run("npm", args, { cwd: repository, shell, stdio: ["ignore", 2, 2] });
    if (interrupted) return 130;
    if (code) return code;
  }
  writeFileSync(stamp, lock);
  return 0;
}

/** Whether `npm install` has been run since the lock file changed. */
function installedByHand() {
  const record = join(modules, ".package-lock.json");
  return existsSync(record) && statSync(record).mtimeMs >= statSync(join(repository, "package-lock.json")).mtimeMs;
}

/** The environment of the user's own shell, without what `npm run` adds for this repository. */
function usersEnvironment() {
  const added =
    /^(npm_package_|npm_lifecycle_|npm_command$|npm_config_local_prefix$|npm_config_allow_scripts$|INIT_CWD$)/;
  const variables = Object.entries(process.env).filter(([name]) => !added.test(name));
  const environment = Object.fromEntries(variables);
  const foreign = (/** @type {string} */ folder) =>
    !folder.endsWith(join("node_modules", ".bin")) && !folder.endsWith("node-gyp-bin");
  // Windows calls it Path.
  const path = Object.keys(environment).find((name) => name.toUpperCase() === "PATH") ?? "PATH";
  return { ...environment, [path]: (environment[path] ?? "").split(delimiter).filter(foreign).join(delimiter) };
}

async function main() {
  const file = COMMANDS[command ?? ""];
  if (!file) {
    console.error(`run.mjs: no command ${command ?? ""}; there are ${Object.keys(COMMANDS).join(", ")}`);
    return 2;
  }
  const code = await install();
  if (code) {
    const failed = "npm ci failed; see its output above. Fix the cause and run the same command again.";
    console.error(interrupted ? "Cancelled. The same command will install them again." : failed);
    return code;
  }
  const current = Number(process.versions.node.split(".")[0]) >= NEEDED_NODE;
  const node = current ? process.execPath : join(modules, "node", "bin", "node");
  const args = [join(repository, file), ...(command === "test:fast" ? ["--fast"] : []), ...rest];
  // `npm run` has changed into the repository; a project is created where the user stands.
  if (command === "create") {
    const cwd = process.env.INIT_CWD ?? process.cwd();
    return run(node, args, { cwd, env: usersEnvironment(), stdio: "inherit" });
  }
  return run(node, args, { cwd: repository, stdio: "inherit" });
}

process.exitCode = await main();
