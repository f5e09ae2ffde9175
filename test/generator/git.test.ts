// The git repository of a new project: made and committed where git can, one line that says why where it can't.
// Change it when the first commit is made otherwise.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Finished, Invocation } from "./sandbox.ts";
import { builtCli, cloneWithFixtures, programs, runCli, temporaryFolder } from "./sandbox.ts";

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

  test("C1: an identity in the environment alone is one", async () => {
    const cwd = temporaryFolder();
    const names = { GIT_AUTHOR_NAME: "A", GIT_COMMITTER_NAME: "A" };
    const env = { ...identity, ...names, GIT_AUTHOR_EMAIL: "a@example.org", GIT_COMMITTER_EMAIL: "a@example.org" };
    const { stdout, stderr } = await run(["my-app", "-y", "--no-install"], { cwd, env });
    expect(stderr).toBe("");
    expect(stdout).toContain("Made a git repository with a first commit.");
    const log = execFileSync("git", ["log", "--format=%an %ae"], { cwd: join(cwd, "my-app"), encoding: "utf8" });
    expect(log).toBe("A a@example.org\n");
  });

  test("C1: half an identity is none, and one line says so", async () => {
    const env = { ...identity, GIT_AUTHOR_NAME: "A", GIT_COMMITTER_NAME: "A" };
    const { code, stderr } = await run(["my-app", "-y", "--no-install"], { env });
    expect([code, stderr]).toEqual([0, "Nothing was committed: git doesn't know your user.name and user.email.\n"]);
  });

  test("C1 P9: core.safecrlf with core.autocrlf is no obstacle, as .gitattributes settles the line ends", async () => {
    const cwd = temporaryFolder();
    const config = join(cwd, "gitconfig");
    const user = "[user]\n\tname = A\n\temail = a@example.org\n";
    writeFileSync(config, `${user}[core]\n\tsafecrlf = true\n\tautocrlf = true\n`);
    const { stdout, stderr } = await run(["my-app", "-y", "--no-install"], {
      cwd,
      env: { ...identity, GIT_CONFIG_GLOBAL: config },
    });
    expect(stderr).toBe("");
    expect(stdout).toContain("Made a git repository with a first commit.");
  });

  test("C1: what git refuses to commit is one line that says why", async () => {
    const cwd = temporaryFolder();
    const hooks = join(cwd, "hooks");
    const config = join(cwd, "gitconfig");
    const user = "[user]\n\tname = A\n\temail = a@example.org\n";
    // Without a readable attributes file of ours, safecrlf would refuse every file.
    writeFileSync(config, `${user}[core]\n\tsafecrlf = true\n\tautocrlf = true\n\thooksPath = ${hooks}\n`);
    mkdirSync(join(cwd, "my-app"));
    writeFileSync(join(cwd, "my-app/.gitattributes"), "* -text\nsrc/** text=auto eol=crlf\n");
    mkdirSync(join(cwd, "my-app/.git/info"), { recursive: true });
    writeFileSync(join(cwd, "my-app/.git/info/attributes"), "* text eol=crlf\n");
    const { code, stderr } = await run(["my-app", "-y", "--no-install", "--overwrite"], {
      cwd,
      env: { ...identity, GIT_CONFIG_GLOBAL: config },
    });
    expect(code).toBe(0);
    expect(stderr).toMatch(/^git would not commit: fatal: LF would be replaced by CRLF in \S+\n$/);
  });

  test("C1: a repository of another user is recognised in every language", async () => {
    const german = 'echo "fatal: zweifelhafte Eigentumsverhältnisse"';
    const git = `[ "$LC_ALL" = C ] && echo "fatal: detected dubious ownership in repository" || ${german}; exit 128`;
    const env = { ...programs({ git }), LANG: "de_DE.UTF-8", LC_ALL: "de_DE.UTF-8" };
    const { code, stderr } = await run(["my-app", "-y", "--no-install"], { env });
    expect([code, stderr]).toEqual([0, expect.stringContaining("in a git repository of another user")]);
  });

  test.skipIf(process.getuid?.() !== 0)(
    "C1: in a repository of another user none is made, and one line names it (needs root)",
    async () => {
      const cwd = temporaryFolder();
      execFileSync("git", ["init", "--quiet"], { cwd });
      execFileSync("chown", ["-R", "65534:65534", cwd]);
      const { code, stderr } = await run(["my-app", "-y", "--no-install"], {
        cwd,
        env: { ...identity, LANG: "de_DE.UTF-8" },
      });
      expect(code).toBe(0);
      expect(stderr).toMatch(
        /^The directory lies in a git repository of another user, so none was made: fatal: detected dubious ownership in repository at '.*'\n$/,
      );
      expect(existsSync(join(cwd, "my-app/.git"))).toBe(false);
    },
  );
});
