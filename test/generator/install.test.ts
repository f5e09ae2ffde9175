// Installing the dependencies: by which package manager, what it prints, and what happens when it fails, is cancelled or has an old Node.
// Change it when a package manager is run otherwise.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Finished, Invocation } from "./sandbox.ts";
import { builtCli, cloneWithFixtures, programs, runCli, temporaryFolder } from "./sandbox.ts";

const cli = builtCli(cloneWithFixtures());

function run(parameters: string[], options: Partial<Invocation> = {}): Promise<Finished> {
  return runCli(cli, parameters, { cwd: temporaryFolder(), ...options });
}

describe("installing", () => {
  test("C10: installs with the package manager chosen, in the project, and says so", async () => {
    const cwd = temporaryFolder();
    const env = programs({ pnpm: 'echo "$PWD $*" > ran.txt' });
    const { code, stdout, stderr } = await run(["my-app", "-y", "--pm", "pnpm", "--no-git"], { cwd, env });
    expect(code).toBe(0);
    expect(readFileSync(join(cwd, "my-app/ran.txt"), "utf8")).toMatch(/\/my-app install --prod=false\n$/);
    expect(stderr).toBe("Installing with pnpm...\n");
    expect(stdout).toMatch(/Installed with pnpm in \d+ s\./);
    expect(stdout).toContain("\n  cd my-app\n  pnpm dev\n");
  });

  test.each([
    ["npm", "", "install --include=dev"],
    ["pnpm", "", "install --prod=false"],
    ["yarn", "1.22.22", "install --production=false"],
    ["yarn", "4.18.1", "install"],
    ["bun", "", "install"],
  ])("C10: %s %s installs dev dependencies, whatever the environment leaves out", async (manager, version, command) => {
    const cwd = temporaryFolder();
    const script = `[ "$*" = --version ] && echo ${version} && exit
echo "$* $NODE_ENV$npm_config_omit$npm_config_only$NPM_CONFIG_PRODUCTION" > ../ran.txt`;
    const leftOut = {
      NODE_ENV: "production",
      npm_config_omit: "dev",
      npm_config_only: "prod",
      NPM_CONFIG_PRODUCTION: "true",
    };
    const env = { ...programs({ [manager]: script }), ...leftOut };
    expect((await run(["my-app", "-y", "--no-git", "--pm", manager], { cwd, env })).code).toBe(0);
    expect(readFileSync(join(cwd, "ran.txt"), "utf8")).toBe(`${command} \n`);
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
