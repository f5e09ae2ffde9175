// Notices options that were meant for us and that npm has kept for itself, because no "--" came before them.
// Change it when an option is added that npm would keep, or when npm reports its options in another way.
import type { Failure } from "./failure.ts";
import { wrongUsage } from "./failure.ts";
import { oneOf } from "./wording.ts";

/*
  PowerShell drops a "--" that isn't quoted, and many people don't know that npm needs one. npm then takes the options for settings of its
  own, which it passes on as environment variables: --framework hono becomes npm_config_framework=true and a second positional "hono".
*/

type Environment = Readonly<Record<string, string | undefined>>;

/** Settings that npm itself doesn't have, and such of npm's own as make no sense for `npm create`. Not "yes": npm has one too. */
const KEPT: Record<string, (value: string) => string | undefined> = {
  framework: () => "--framework",
  backend: () => "--backend",
  // npm takes each letter of -b for an option.
  b: () => "-b",
  name: (value) => (value === "" ? undefined : "--name"),
  minimal: onlyTrue("--minimal"),
  overwrite: onlyTrue("--overwrite"),
  list: onlyTrue("--list"),
  dry_run: onlyTrue("--dry-run"),
  json: onlyTrue("--json"),
  check: onlyTrue("--check"),
  diff: onlyTrue("--diff"),
  continue: onlyTrue("--continue"),
  restore: () => "--restore",
  base: () => "--base",
  install: (value) => (value === "true" ? "--install" : "--no-install"),
  // By default this is the path of git.
  git: (value) => ({ true: "--git", false: "--no-git" })[value],
  // npm reads --pm as -p -m, and -m as the message of a commit.
  message: (value) => (["npm", "pnpm", "yarn", "bun"].includes(value) ? "--pm" : undefined),
};

function onlyTrue(option: string): (value: string) => string | undefined {
  return (value) => (value === "true" ? option : undefined);
}

/**
 * Throws when npm has kept options that were meant for us.
 * @param given whether the command line has this option, by its long name
 * @param directories how many directories the command line names
 */
export function refuseOptionsKeptByNpm(given: (name: string) => boolean, directories: number, env: Environment): void {
  if (!env.npm_config_user_agent?.startsWith("npm/")) return;
  const kept = Object.entries(KEPT).flatMap(([name, optionFor]) => {
    const value = env[`npm_config_${name}`];
    return value === undefined ? [] : (optionFor(value) ?? []);
  });
  // -f is --force to npm, which alone says nothing about us; but the id that came after it is then a second directory.
  if (env.npm_config_force === "true" && directories > 1) kept.push("-f");
  const missing = kept.filter((option) => !given(option.replace(/^--/, "")));
  if (missing.length > 0) throw keptByNpm(missing);
}

function keptByNpm(options: readonly string[]): Failure {
  const example = `npm create session-app@latest my-app -- ${options[0]} ...`;
  return wrongUsage(
    `npm has kept ${oneOf(options, "and")} for itself. Options go after "--": ${example} (in PowerShell with the quotes).`,
    { flags: options },
  );
}
