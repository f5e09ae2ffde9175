// The command, called wrongly: one clear line, exit code 2, and nothing written.
// Change it when a flag is added, or a message is worded otherwise.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Finished, Invocation } from "./sandbox.ts";
import { builtCli, cloneWithFixtures, runCli, temporaryFolder } from "./sandbox.ts";
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
