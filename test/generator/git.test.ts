// The git repository of a new project: made and committed where git can, one line that says why where it can't.
// Change it when the first commit is made otherwise.
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Finished, Invocation } from "./sandbox.ts";
import { builtCli, cloneWithFixtures, runCli, temporaryFolder } from "./sandbox.ts";

const cli = builtCli(cloneWithFixtures());

function run(parameters: string[], options: Partial<Invocation> = {}): Promise<Finished> {
  return runCli(cli, parameters, { cwd: temporaryFolder(), ...options });
}

describe("the repository", () => {
  const identity = {
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    HOME: "/nonexistent",
    XDG_CONFIG_HOME: "/nonexistent",
  };

  test("C1: makes a repository, and commits what it made where git knows who commits", async () => {
    const cwd = temporaryFolder();
    const config = join(cwd, "gitconfig");
    writeFileSync(config, "[user]\n\tname = A\n\temail = a@example.org\n[commit]\n\tgpgSign = true\n");
    const env = { ...identity, GIT_CONFIG_GLOBAL: config, GIT_DIR: join(cwd, "elsewhere") };
    const { code, stdout, stderr } = await run(["my-app", "-y", "--no-install"], { cwd, env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("Made a git repository with a first commit.");
    const git = (...parameters: string[]) =>
      execFileSync("git", parameters, { cwd: join(cwd, "my-app"), encoding: "utf8" });
    expect(git("status", "--porcelain")).toBe("");
    expect(git("ls-files")).toContain("src/main.ts");
    expect(existsSync(join(cwd, "elsewhere"))).toBe(false);
  });

  test("C1: without an identity it makes the repository and commits nothing", async () => {
    const { code, stdout } = await run(["my-app", "-y", "--no-install"], { env: identity });
    expect(code).toBe(0);
    expect(stdout).toContain("Made a git repository.\n");
  });

  test("C1: inside somebody's repository, and without git, it says so and goes on", async () => {
    const cwd = temporaryFolder();
    execFileSync("git", ["init", "--quiet"], { cwd });
    const inside = await run(["my-app", "-y", "--no-install"], { cwd });
    expect(inside).toMatchObject({ code: 0 });
    expect(inside.stderr).toContain("belongs to a git repository already");
    expect(existsSync(join(cwd, "my-app/.git"))).toBe(false);
    const missing = await run(["my-app", "-y", "--no-install"], { env: { PATH: temporaryFolder() } });
    expect(missing).toMatchObject({ code: 0 });
    expect(missing.stderr).toContain("There is no git here");
  });
});
