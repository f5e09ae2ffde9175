// The command as a child process without a terminal: what it generates, and what it reports.
// Change it when a flag or the document changes.
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Finished, Invocation } from "./sandbox.ts";
import { builtCli, cloneWithFixtures, repository, runCli, sourceCli, temporaryFolder } from "./sandbox.ts";
import { snapshot } from "./tree.ts";

const cli = builtCli(cloneWithFixtures());
const WHOLE = ["-f", "beta", "-b", "served", "--no-install", "--no-git"];

function run(parameters: string[], options: Partial<Invocation> = {}): Promise<Finished> {
  return runCli(cli, parameters, { cwd: temporaryFolder(), ...options });
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
      minimal: false,
      nodePinned: false,
      workspaceMember: false,
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

  test("C13: --minimal leaves out the example, and the document and the record say so", async () => {
    const cwd = temporaryFolder();
    const { code, stdout } = await run(["my-app", ...WHOLE, "--minimal", "--json"], { cwd });
    const { answers, files } = JSON.parse(stdout);
    expect([code, answers.minimal]).toEqual([0, true]);
    expect(files.filter((path: string) => /example\/|^public|authenticate/.test(path))).toEqual([]);
    const project = (path: string) => readFileSync(join(cwd, "my-app", path), "utf8");
    expect(project("src/main.ts")).not.toContain("example");
    expect(JSON.parse(project("package.json")).dependencies).not.toHaveProperty("beta-static");
    expect(JSON.parse(project(".session-app.json")).answers.minimal).toBe(true);
    expect((await run(["--help"])).stdout).toContain("--minimal");
    expect((await run(["other", ...WHOLE, "--minimal"], { cwd })).stdout).toContain(
      "Beta with Served, without the example",
    );
  });
});

describe("reporting", () => {
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
        minimal: false,
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

  test("C10 C13: the page to open is one that a minimal project has", async () => {
    const { stdout } = await run(["b", ...WHOLE, "--minimal"], { cwd: temporaryFolder() });
    expect(stdout).toContain("Then open http://localhost:3000/visits\n");
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
