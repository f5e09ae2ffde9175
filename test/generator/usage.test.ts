// The command, called wrongly: one clear line, exit code 2, and nothing written.
// Change it when a flag is added, or a message is worded otherwise.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Finished, Invocation } from "./sandbox.ts";
import { builtCli, cloneWithFixtures, environment, runCli, temporaryFolder } from "./sandbox.ts";
import { snapshot } from "./tree.ts";

const cli = builtCli(cloneWithFixtures());
const WHOLE = ["-f", "beta", "-b", "served", "--no-install", "--no-git"];

function run(parameters: string[], options: Partial<Invocation> = {}): Promise<Finished> {
  return runCli(cli, parameters, { cwd: temporaryFolder(), ...options });
}

function lines(text: string): string[] {
  return text.trimEnd().split("\n");
}

describe("wrong usage", () => {
  test("C3: without a terminal and with something open it exits 2 at once, naming the flags", async () => {
    const cwd = temporaryFolder();
    const { code, stdout, stderr } = await run([], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    for (const flag of ["a directory", "--framework", "--backend", "--no-install", "--no-git", "--yes"])
      expect(stderr).toContain(flag);
    expect(lines(stderr)).toHaveLength(1);
    const one = await run(["my-app", "-b", "plain", "--no-install", "--no-git"], { cwd });
    expect(one.stderr).toContain("Give --framework; or --yes");
    const json = await run(["my-app", "--json"], { cwd });
    expect(json.code).toBe(2);
    expect(JSON.parse(json.stdout).error.flags).toEqual([
      "--framework",
      "--backend",
      "--install or --no-install",
      "--git or --no-git",
    ]);
    const nameless = await run(["проект", "-b", "plain", "--no-install", "--no-git"], { cwd });
    expect(nameless.stderr).toContain("Give --framework and --name; or --yes");
    expect(snapshot(cwd)).toEqual({});
  });

  test("C8: a path in a message is whole, however long it is", async () => {
    const cwd = temporaryFolder();
    const folder = join(cwd, "long".repeat(20), "folder".repeat(10));
    mkdirSync(join(folder, ".."), { recursive: true });
    writeFileSync(folder, "");
    const { code, stderr } = await run([join(folder, "app"), ...WHOLE], { cwd });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `"${folder}" is not a directory, so nothing can be made in it.\n`,
    });
  });

  test.each([
    [["a", "-y", "-f", "bata"], 'Unknown framework "bata". Did you mean "beta"? There is alpha and beta.'],
    [["a", "-y", "-b", "nothing"], 'Unknown backend "nothing". There is plain and served.'],
    [["a", "-y", "-b", "plаin"], 'Unknown backend "plаin" (it contains U+0430). Did you mean "plain"?'],
    [["a", "-y", "--pm", "npn"], 'Unknown package manager "npn". Did you mean "npm"?'],
    [["a", "-y", "--framwork", "beta"], 'Unknown option "--framwork". Did you mean --framework?'],
    [["a", "-y", "-x"], 'Unknown option "-x". --help lists them all.'],
    [["a", "-y", "--constructor"], 'Unknown option "--constructor". --help lists them all.'],
    [["a", "-y", "--toString"], 'Unknown option "--toString".'],
    [["a", "-y", "--__proto__"], 'Unknown option "--__proto__".'],
    [["a", "-y", "--__proto__=x"], 'Unknown option "--__proto__".'],
    [["a", "-y", "--framework"], "--framework needs a value: --framework ID."],
    [["a", "-f", "-y"], "-f needs a value: -f ID."],
    [["a", "-y", "--framework="], "--framework needs a value"],
    [["a", "--yes=1"], "--yes takes no value."],
    [["a", "-y", "--git", "--no-git"], "--git and --no-git contradict each other."],
    [["a", "b", "-y"], 'One directory at most, not "a" and "b".'],
    [["", "-y"], "The directory's name is empty."],
    [
      ["a", "-y", "--name", "My App"],
      'npm doesn\'t take the name "My App": it has capital letters. "my-app" would do.',
    ],
    [["a", "-y", "--name", "../up"], 'npm doesn\'t take the name "../up": it starts with "."'],
    [["проект", "-y"], 'No package name can be made of "проект": give one with --name.'],
    [["aux", "-y"], 'The project can\'t go to "aux": Windows reserves the name "aux" for a device.'],
    [["a/nul.txt/app", "-y"], 'Windows reserves the name "nul.txt" for a device.'],
    [["~", "-y"], `only a shell takes "~" for your home directory. Give "${homedir()}".`],
    [["~/app", "-y"], `only a shell takes "~" for your home directory. Give "${homedir()}/app".`],
    [["x".repeat(300), "-y"], "its name is 300 bytes long, and 255 is the most"],
    [["bad\nname", "-y"], 'The project can\'t go to "bad\\u000aname": it has control or invisible characters in it.'],
    [["-app", "-y"], 'Unknown option "-a".'],
  ])("C8: %j exits 2 with one clear line", async (parameters, message) => {
    const cwd = temporaryFolder();
    const { code, stdout, stderr } = await run(parameters, { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
    expect(lines(stderr)).toHaveLength(1);
    expect(snapshot(cwd)).toEqual({});
  });

  test("C8: a directory with a leading dash comes after --, and the next steps still work", async () => {
    const cwd = temporaryFolder();
    const { code, stdout } = await run([...WHOLE, "--", "-app"], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain("  cd ./-app\n");
    expect(JSON.parse(readFileSync(join(cwd, "-app/package.json"), "utf8")).name).toBe("app");
  });

  test("C2: a -- that a package manager has passed on doesn't make names of flags", async () => {
    const cwd = temporaryFolder();
    expect((await run(["my-app", "--", ...WHOLE], { cwd })).code).toBe(0);
    expect(existsSync(join(cwd, "my-app/package.json"))).toBe(true);
  });

  test("C10: the cd that it prints works when it is pasted, whatever the directory is called", async () => {
    const cwd = temporaryFolder();
    const name = 'it\'s a $HOME; `echo` "app"';
    const { next } = JSON.parse((await run([name, ...WHOLE, "--json", "--name", "app"], { cwd })).stdout);
    const where = execFileSync("sh", ["-c", `${next[0]} && pwd`], { cwd, encoding: "utf8" });
    expect(basename(where.trimEnd())).toBe(name);
  });
});

describe("commands", () => {
  test("C15 L7: add is a command for an app that is there; a directory of that name is given as a path", async () => {
    const cwd = temporaryFolder();
    for (const parameters of [["add"], ["-y", "add", "."], ["add", "--json"]]) {
      const { code, stdout, stderr } = await run(parameters, { cwd });
      const message = `"${cwd}" holds no package.json, so there is no app to add sessions to. Give the directory of an app. A new one is made by: npm create session-app@latest`;
      expect([code, stderr]).toEqual([1, `${message}\n`]);
      if (parameters.includes("--json")) expect(JSON.parse(stdout).error).toMatchObject({ code: "NO_APP", message });
    }
    expect(snapshot(cwd)).toEqual({});
    expect((await run(["./add", ...WHOLE], { cwd })).code).toBe(0);
    expect(existsSync(join(cwd, "add", "package.json"))).toBe(true);
  });

  test("C15: create is the command that runs without one, and what follows it is the directory, whatever it is called", async () => {
    const cwd = temporaryFolder();
    for (const [parameters, directory] of [
      [["create", "my-app"], "my-app"],
      [["create", "update"], "update"],
      [["create", "create"], "create"],
      [["create", "-y"], "my-session-app"],
    ] as const) {
      const { code, stderr } = await run([...parameters, ...WHOLE], { cwd });
      expect([code, stderr]).toEqual([0, ""]);
      expect(existsSync(join(cwd, directory, "package.json"))).toBe(true);
    }
    expect((await run(["create", ...WHOLE], { cwd })).stderr).toContain("Give a directory");
    expect((await run(["create", "a", "b"], { cwd })).stderr).toContain('not "a" and "b"');
  });

  test("C15: --help says so", async () => {
    const { stdout } = await run(["--help"]);
    expect(stdout).toContain("[create] [directory]");
    for (const word of ["add", "update", "switch", "doctor", '"./update"']) expect(stdout).toContain(word);
  });
});

describe("options that npm has kept for itself", () => {
  const npm = { npm_config_user_agent: "npm/11.19.1 node/v24.0.0 linux x64 workspaces/false" };

  test.each([
    [["app", "hono"], { npm_config_framework: "true" }, "--framework"],
    [["app"], { npm_config_backend: "redis" }, "--backend"],
    [["app"], { npm_config_name: "other" }, "--name"],
    [["app"], { npm_config_minimal: "true" }, "--minimal"],
    [["app"], { npm_config_overwrite: "true" }, "--overwrite"],
    [["app"], { npm_config_list: "true" }, "--list"],
    [["app"], { npm_config_dry_run: "true" }, "--dry-run"],
    [["app"], { npm_config_json: "true" }, "--json"],
    [["app"], { npm_config_install: "" }, "--no-install"],
    [["app"], { npm_config_install: "true" }, "--install"],
    [["app"], { npm_config_git: "false" }, "--no-git"],
    [["app", "koa"], { npm_config_force: "true" }, "-f"],
    [["app", "redis"], { npm_config_b: "true" }, "-b"],
    [["app"], { npm_config_message: "pnpm", npm_config_parseable: "true" }, "--pm"],
    [["update"], { npm_config_check: "true" }, "--check"],
    [["update"], { npm_config_diff: "true" }, "--diff"],
    [["update"], { npm_config_continue: "true" }, "--continue"],
    [["update", "src/main.ts"], { npm_config_restore: "true" }, "--restore"],
    [["switch", "other"], { npm_config_base: "true" }, "--base"],
    [["app", "hono"], { npm_config_framework: "true", npm_config_git: "false" }, "--framework and --no-git"],
  ])("C2: %j with %j writes nothing, and says that -- goes before %s", async (parameters, env, options) => {
    const cwd = temporaryFolder();
    const { code, stdout, stderr } = await run([...parameters, "-y"], { cwd, env: { ...npm, ...env } });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(lines(stderr)).toEqual([
      expect.stringContaining(`npm has kept ${options} for itself. Options go after "--":`),
    ]);
    expect(snapshot(cwd)).toEqual({});
  });

  test("C2: settings of npm that are no options of ours, or that were given to us too, are no reason to stop", async () => {
    const settings = {
      npm_config_yes: "true",
      npm_config_force: "true",
      npm_config_git: "git",
      npm_config_json: "true",
    };
    const env = { ...npm, ...settings, npm_config_dry_run: "", npm_config_message: "release %s" };
    expect((await run(["app", ...WHOLE, "--json"], { env })).code).toBe(0);
    const other = { npm_config_user_agent: "pnpm/10.2.0 npm/? node/v24.0.0 linux x64", npm_config_dry_run: "true" };
    expect((await run(["app", ...WHOLE], { env: other })).code).toBe(0);
  });

  test("C2: --help shows the --", async () => {
    expect((await run(["--help"])).stdout).toContain("npm create session-app@latest [directory] -- [options]");
  });

  test("C2: npm itself, started without a --, is noticed", async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, "package.json"), JSON.stringify({ scripts: { create: `node ${cli}` } }));
    const command = "npm run --silent create my-app --framework beta --no-git --dry-run";
    const { status, stderr } = spawnSync("sh", ["-c", command], {
      cwd,
      encoding: "utf8",
      env: environment() as NodeJS.ProcessEnv,
    });
    expect(status).toBe(2);
    expect(stderr).toContain("npm has kept --framework, --dry-run and --no-git for itself.");
    expect(Object.keys(snapshot(cwd))).toEqual(["package.json"]);
  });
});

describe("places where a project could never run", () => {
  test.each([
    ["a:b", '":" separates the folders in PATH'],
    ["a:b/app", '":" separates the folders in PATH'],
    ["node_modules/app", "Node runs no TypeScript below a folder called node_modules"],
    ["node_modules", "Node runs no TypeScript below a folder called node_modules"],
    ["link/app", "Node runs no TypeScript below a folder called node_modules"],
  ])("C8: %s is refused before anything is written or asked", async (directory, reason) => {
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, "node_modules/dependency"), { recursive: true });
    symlinkSync(join(cwd, "node_modules/dependency"), join(cwd, "link"));
    const before = snapshot(cwd);
    const { code, stderr } = await run([directory, ...WHOLE], { cwd });
    expect([code, lines(stderr)]).toEqual([2, [expect.stringContaining(reason)]]);
    expect(snapshot(cwd)).toEqual(before);
  });

  test("C8: so is the current directory, when it is such a place", async () => {
    for (const name of ["node_modules", "a:b"]) {
      const cwd = join(temporaryFolder(), name);
      mkdirSync(cwd);
      expect(await run([".", ...WHOLE, "--name", "app"], { cwd })).toMatchObject({ code: 2 });
      expect(snapshot(cwd)).toEqual({});
    }
  });

  test("C8: names that only resemble such a place are fine", async () => {
    const cwd = temporaryFolder();
    expect((await run(["my_node_modules/app", ...WHOLE], { cwd })).code).toBe(0);
  });

  test("C8: a current directory that has been removed is one clear line", () => {
    const cwd = join(temporaryFolder(), "gone");
    mkdirSync(cwd);
    const flags = [...WHOLE, "--name", "app"].join(" ");
    for (const directory of ["app", ".", join(cwd, "../elsewhere")]) {
      const script = `rmdir ${cwd}; ${process.execPath} ${cli} ${directory} ${flags}`;
      const { status, stderr } = spawnSync("sh", ["-c", script], { cwd, encoding: "utf8" });
      expect([status, stderr]).toEqual([
        1,
        "The current directory no longer exists. Change to another one, and run this again there.\n",
      ]);
      expect(existsSync(join(cwd, "../elsewhere"))).toBe(false);
      mkdirSync(cwd);
    }
  });
});
