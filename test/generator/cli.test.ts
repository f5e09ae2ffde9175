// The command as a child process without a terminal: flags, exit codes, messages, --json.
// Change it when a flag, a message or the document changes.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Finished, Invocation } from "./sandbox.ts";
import { builtCli, cloneWithFixtures, programs, repository, runCli, sourceCli, temporaryFolder } from "./sandbox.ts";
import { snapshot } from "./tree.ts";

const cli = builtCli(cloneWithFixtures());
const WHOLE = ["-f", "beta", "-b", "served", "--no-install", "--no-git"];

function run(parameters: string[], options: Partial<Invocation> = {}): Promise<Finished> {
  return runCli(cli, parameters, { cwd: temporaryFolder(), ...options });
}

function lines(text: string): string[] {
  return text.trimEnd().split("\n");
}

describe("generating", () => {
  test("C2: all flags together make the project, without a question", async () => {
    const cwd = temporaryFolder();
    const { code, stdout, stderr } = await run(["my-app", ...WHOLE], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(readFileSync(join(cwd, "my-app/package.json"), "utf8"))).toMatchObject({
      name: "my-app",
      dependencies: { beta: "^1.0.0", "served-driver": "^3.1.0" },
    });
    expect(stdout).toContain("Beta with Served");
    expect(stdout).toContain(
      "\n  cd my-app\n  npm install\n  cp .env.example .env\n  docker compose up -d --wait\n  npm run dev\n",
    );
    expect(stdout).toContain("http://localhost:3000");
    expect(snapshot(cwd)).not.toHaveProperty([".my-app.create-session-app/"]);
  });

  test("C3: what the README shows for scripts works as it stands", async () => {
    const readme = readFileSync(join(repository, "README.md"), "utf8");
    const [example, parameters = ""] = /`npm run -s create -- (.*?)`/.exec(readme) ?? [];
    expect(example).toContain("--json");
    const cwd = temporaryFolder();
    const { code, stdout } = await runCli(sourceCli(repository), parameters.split(" "), { cwd });
    expect([code, JSON.parse(stdout).error]).toEqual([0, undefined]);
  });

  test("C6 C10: a .env that is there already is not to be copied over", async () => {
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, "my-app"));
    writeFileSync(join(cwd, "my-app/.env"), "SERVED_URL=served://mine\n");
    const { stdout } = await run(["my-app", ...WHOLE], { cwd });
    expect(stdout).toContain("\n  cd my-app\n  npm install\n  docker compose up -d --wait\n  npm run dev\n");
  });

  test("C2: -y takes the defaults, the directory's too", async () => {
    const cwd = temporaryFolder();
    expect((await run(["-y", "--no-install", "--no-git"], { cwd })).code).toBe(0);
    expect(JSON.parse(readFileSync(join(cwd, "my-session-app/.session-app.json"), "utf8")).answers).toEqual({
      name: "my-session-app",
      framework: "alpha",
      backend: "plain",
      packageManager: "npm",
      nodePinned: false,
    });
  });

  test("C2: --name and --pm are taken; the package manager that runs it is the default", async () => {
    const cwd = temporaryFolder();
    const npm_config_user_agent = "pnpm/10.2.0 npm/? node/v24.0.0 linux x64";
    const { stdout } = await run(["a", ...WHOLE, "--name", "@me/other"], { cwd, env: { npm_config_user_agent } });
    expect(stdout).toContain("  pnpm install\n");
    expect(JSON.parse(readFileSync(join(cwd, "a/package.json"), "utf8")).name).toBe("@me/other");
    const yarn = await run(["b", ...WHOLE, "--pm=yarn"], { cwd, env: { npm_config_user_agent } });
    expect(yarn.stdout).toContain("  yarn install\n");
  });

  test("C5: folders above the project that are missing are made with it", async () => {
    const cwd = temporaryFolder();
    expect((await run(["a/b/c", ...WHOLE], { cwd })).code).toBe(0);
    expect(existsSync(join(cwd, "a/b/c/package.json"))).toBe(true);
    expect(Object.keys(snapshot(cwd)).filter((path) => path.split("/").length < 4)).toEqual(["a/", "a/b/"]);
  });

  test("C6: the current directory, a symbolic link to a directory, and an existing one without collisions are fine", async () => {
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, "src"));
    writeFileSync(join(cwd, "src/mine.ts"), "mine\n");
    const before = snapshot(cwd);
    expect((await run([".", ...WHOLE], { cwd })).stdout).toContain("Next:\n\n  npm install\n");
    expect(snapshot(cwd)).toMatchObject(before);
    const other = temporaryFolder();
    mkdirSync(join(other, "real"));
    symlinkSync("real", join(other, "link"));
    expect((await run(["link", ...WHOLE], { cwd: other })).code).toBe(0);
    expect(existsSync(join(other, "real/package.json"))).toBe(true);
  });

  test("C2: --dry-run shows every file and writes nothing", async () => {
    const cwd = temporaryFolder();
    const { code, stdout } = await run(["my-app", ...WHOLE, "--dry-run"], { cwd });
    expect(code).toBe(0);
    for (const path of ["package.json", "src/store/driver.ts", ".session-app.json"])
      expect(stdout).toContain(`  ${path} `);
    expect(snapshot(cwd)).toEqual({});
  });

  test("C7: nothing is read from the network", async () => {
    const cwd = temporaryFolder();
    const guard = join(cwd, "guard.cjs");
    const refused = 'require("node:net").Socket.prototype.connect = () => { throw new Error("network"); };';
    writeFileSync(guard, `${refused} globalThis.fetch = () => { throw new Error("network"); };`);
    const { code, stderr } = await run(["my-app", ...WHOLE], { cwd, env: { NODE_OPTIONS: `--require ${guard}` } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
});

describe("telling", () => {
  test("C2: --help, --version and --list go to stdout and end with 0", async () => {
    const help = await run(["--help"]);
    expect(help).toMatchObject({ code: 0, stderr: "" });
    for (const flag of [
      "-f, --framework",
      "-b, --backend",
      "-y, --yes",
      "--name",
      "--pm",
      "--no-install",
      "--no-git",
    ]) {
      expect(help.stdout).toContain(flag);
    }
    for (const flag of [
      "--dry-run",
      "--json",
      "--overwrite",
      "--list",
      "-h, --help",
      "-v, --version",
      "alpha",
      "served",
    ]) {
      expect(help.stdout).toContain(flag);
    }
    expect((await run(["-v"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const { stdout } = await run(["--list"]);
    expect(stdout).toContain("served-driver ^3.1.0");
    expect(stdout).toContain("nothing to run");
  });

  test("C2: --list --json, --help --json and --version --json are one document each", async () => {
    const list = JSON.parse((await run(["--list", "--json"])).stdout);
    expect(list.frameworks.map(({ id }: { id: string }) => id)).toEqual(["alpha", "beta"]);
    expect(list.backends[1]).toMatchObject({ id: "served", dependencies: { "served-driver": "^3.1.0" } });
    expect(JSON.parse((await run(["--version", "--json"])).stdout)).toMatchObject({ ok: true, version: list.version });
    expect(JSON.parse((await run(["--help", "--json"])).stdout).help).toContain("Usage:");
  });

  test("C3: --json prints one document with answers, target, files and next steps, and nothing else", async () => {
    const cwd = temporaryFolder();
    const { code, stdout, stderr } = await run(["my-app", ...WHOLE, "--json"], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({
      ok: true,
      dryRun: false,
      answers: {
        directory: "my-app",
        name: "my-app",
        framework: "beta",
        backend: "served",
        packageManager: "npm",
        install: false,
        git: false,
      },
      next: ["cd my-app", "npm install", "cp .env.example .env", "docker compose up -d --wait", "npm run dev"],
      url: "http://localhost:3000",
    });
    expect(document.target.endsWith("/my-app")).toBe(true);
    const written = Object.keys(snapshot(join(cwd, "my-app"))).filter((path) => !path.endsWith("/"));
    expect(document.files.toSorted()).toEqual(written.toSorted());
  });

  test("C3: with --json an error is a document too", async () => {
    const { code, stdout } = await run(["my-app", "-f", "alpah", "--json"]);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      error: { code: "USAGE", meant: "alpha", known: ["alpha", "beta"] },
    });
    const unknown = await run(["--jsom", "--json"]);
    expect(JSON.parse(unknown.stdout).error.message).toContain("Did you mean --json?");
  });
});

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

describe("installing and git", () => {
  test("C10: installs with the package manager chosen, in the project, and says so", async () => {
    const cwd = temporaryFolder();
    const env = programs({ pnpm: 'echo "$PWD $*" > ran.txt' });
    const { code, stdout, stderr } = await run(["my-app", "-y", "--pm", "pnpm", "--no-git"], { cwd, env });
    expect(code).toBe(0);
    expect(readFileSync(join(cwd, "my-app/ran.txt"), "utf8")).toMatch(/\/my-app install\n$/);
    expect(stderr).toBe("Installing with pnpm...\n");
    expect(stdout).toMatch(/Installed with pnpm in \d+ s\./);
    expect(stdout).toContain("\n  cd my-app\n  pnpm dev\n");
  });

  test("C10: when installing fails the project stays, the whole error is shown, and how to go on", async () => {
    const cwd = temporaryFolder();
    const env = programs({
      npm: 'for n in $(seq 200); do echo "line $n"; done; echo "npm error E418 teapot" >&2; exit 7',
    });
    const { code, stdout, stderr } = await run(["my-app", "-y", "--no-git"], { cwd, env });
    expect(code).toBe(1);
    expect(stderr).toContain("line 1\n");
    expect(stderr).toContain("line 200\n");
    expect(stderr).toContain("npm error E418 teapot");
    expect(stderr).toContain("go on with:\n  cd my-app\n  npm install\n  npm run dev\n");
    expect(stdout).not.toContain("Next:");
    expect(existsSync(join(cwd, "my-app/src/main.ts"))).toBe(true);
    const json = await run(["other", "-y", "--no-git", "--json"], { cwd, env });
    expect(json.code).toBe(1);
    const document = JSON.parse(json.stdout);
    expect(document).toMatchObject({ ok: false, installed: false, error: { code: "INSTALL" } });
    expect(document.error.output).toContain("teapot");
    expect(document.next).toEqual(["cd other", "npm install", "npm run dev"]);
  });

  test("C10: a package manager that isn't there is a failed install, not a crash", async () => {
    const cwd = temporaryFolder();
    const folder = temporaryFolder();
    const { code, stderr } = await run(["my-app", "-y", "--no-git", "--pm", "bun"], { cwd, env: { PATH: folder } });
    expect(code).toBe(1);
    expect(stderr).toContain("bun: not found. Is it installed?");
    expect(stderr).toContain("  bun install\n");
  });

  const sleeper = "echo $$ > ../pid; mv ../pid ../sleeper.pid; exec sleep 60";

  /** The signal comes as soon as a program that is started has noted its number in `sleeper.pid`. */
  function interrupted(cwd: string, flags: string[], env: { PATH: string }, signal: NodeJS.Signals): Promise<Finished> {
    return run(["my-app", "-y", ...flags], {
      cwd,
      env,
      onStart: (child) => {
        const poll = setInterval(() => {
          if (!existsSync(join(cwd, "sleeper.pid"))) return;
          clearInterval(poll);
          child.kill(signal);
        }, 20);
      },
    });
  }

  function isGone(cwd: string): boolean {
    try {
      process.kill(Number(readFileSync(join(cwd, "sleeper.pid"), "utf8")), 0);
      return false;
    } catch {
      return true;
    }
  }

  test.each([
    ["SIGTERM", sleeper],
    ["SIGINT", `(${sleeper}) & wait`],
  ] as const)(
    "C4: %s while installing ends the package manager too, behind a wrapper as well; the project stays, and it says how to go on",
    async (signal, npm) => {
      const cwd = temporaryFolder();
      const finished = await interrupted(cwd, ["--no-git"], programs({ npm }), signal);
      expect(finished.code).toBe(130);
      expect(finished.stderr).toContain("Cancelled. The project is in");
      expect(finished.stderr).toContain("  npm install\n");
      await expect.poll(() => isGone(cwd)).toBe(true);
      expect(existsSync(join(cwd, "my-app/package.json"))).toBe(true);
    },
  );

  test.each(["SIGINT", "SIGTERM"] as const)(
    "C4: %s while git is at work exits with 130, and says how to go on",
    async (signal) => {
      const cwd = temporaryFolder();
      const env = programs({ npm: "exit 0", git: `[ "$1" = init ] || exit 1; ${sleeper}` });
      const finished = await interrupted(cwd, [], env, signal);
      expect([finished.code, finished.stderr.replace(/".*my-app"/, "...")]).toEqual([
        130,
        "Installing with npm...\nCancelled. The project is in .... Go on with:\n  cd my-app\n  npm run dev\n",
      ]);
      await expect.poll(() => isGone(cwd)).toBe(true);
    },
  );

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

  test("C11: yarn can't pin a Node, so with an older one nothing is installed, and it says what to do", async () => {
    const cwd = temporaryFolder();
    const env = {
      npm_config_user_agent: "yarn/1.22.22 npm/? node/v20.20.2 linux x64",
      ...programs({ yarn: "exit 1" }),
    };
    const { code, stdout, stderr } = await run(["my-app", "-y", "--no-git"], { cwd, env });
    expect(code).toBe(0);
    expect(stderr).toContain("and this is 20.20.2: yarn can't bring one along, so nothing was installed.");
    expect(stdout).toContain("\n  cd my-app\n  yarn install\n  yarn dev\n");
    expect(JSON.parse(readFileSync(join(cwd, "my-app/package.json"), "utf8")).devDependencies).not.toHaveProperty(
      "node",
    );
  });

  test("C11: where an older Node runs the package manager, a current one is pinned, and it says so", async () => {
    const cwd = temporaryFolder();
    const env = { npm_config_user_agent: "npm/10.8.2 node/v20.20.2 linux x64 workspaces/false" };
    const { code, stderr } = await run(["my-app", "-y", "--no-install", "--no-git"], { cwd, env });
    expect(code).toBe(0);
    expect(stderr).toContain("needs Node 22.18 or newer, and this is 20.20.2");
    expect(JSON.parse(readFileSync(join(cwd, "my-app/package.json"), "utf8")).devDependencies.node).toMatch(/^\^\d/);
  });
});
