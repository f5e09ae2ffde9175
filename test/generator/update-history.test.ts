// `update`: where the files come from that were once generated, a project of long ago, and several versions in a row.
// Change it when the base of a merge is found in another place.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { repository, runCli, temporaryFolder } from "./sandbox.ts";
import { snapshot } from "./tree.ts";
import { EXPRESS, first, registryWith, second, settle, update } from "./updates.ts";
import { append, OFFLINE, Project, Version } from "./versions.ts";

describe("the base", () => {
  async function withoutHistory(): Promise<Project> {
    const project = await first.create(EXPRESS, { git: false });
    project.edit("src/main.ts", append("// Mine.\n"));
    return project;
  }

  test("L1: is needed only for files that both sides have changed", async () => {
    const { code, stderr } = await update(await withoutHistory(), ["--no-install"], second, OFFLINE);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain("in no git repository");
  });

  test("L1: where it is nowhere, the run stops and says what it needs; --base gives it, and is checked", async () => {
    const project = await withoutHistory();
    project.edit("src/config.ts", append("// Mine.\n"));
    const before = snapshot(project.root);
    const { code, stderr } = await update(project, ["--no-install"], second, OFFLINE);
    expect(code).toBe(1);
    expect(stderr).toContain("for a file that you have edited:\n  src/config.ts\n");
    expect(stderr).toContain("--base DIR");
    expect(stderr).toContain("npm create session-app@0.3.0 DIR -- --framework express --backend redis --name app");
    const wrong = await second.create(EXPRESS, { git: false });
    expect(await update(project, ["--base", wrong.root])).toMatchObject({ code: 1 });
    expect(snapshot(project.root)).toEqual(before);

    const base = await first.create(EXPRESS, { git: false });
    expect((await update(project, ["--no-install", "--base", base.root])).code).toBe(0);
    expect(project.read("src/config.ts")).toMatch(/^\/\/ New[\s\S]*\/\/ Mine\.\n$/);
  });

  test("L1: a history that was squashed after the edits, or cloned without depth, has none", async () => {
    const project = await first.create(EXPRESS);
    project.edit("src/config.ts", append("// Mine.\n"));
    project.commit();
    const clone = temporaryFolder();
    execFileSync("git", ["clone", "--quiet", "--depth=1", `file://${project.root}`, clone]);
    expect((await update(new Project(clone), ["--check"], second, OFFLINE)).stderr).toContain("--base DIR");
    project.git("checkout", "--quiet", "--orphan", "squashed");
    project.commit();
    project.git("branch", "--quiet", "-D", project.git("branch", "--list", "ma*").trim());
    project.git("reflog", "expire", "--expire=now", "--all");
    project.git("gc", "--quiet", "--prune=now");
    expect((await update(project, ["--check"], second, OFFLINE)).stderr).toContain("--base DIR");
  });

  test("L1: the recorded version of the package makes it again, where the registry has it", async () => {
    const project = await withoutHistory();
    project.edit("src/config.ts", append("// Mine.\n"));
    const npm = registryWith(first);
    const { code, stderr } = await update(project, ["--no-install"], second, npm);
    expect(code, stderr).toBe(0);
    expect(project.read("src/config.ts")).toMatch(/^\/\/ New[\s\S]*\/\/ Mine\.\n$/);
  });

  test("L1: a record of before format 1 has checksums; the first commit has what they belong to", async () => {
    const project = await first.create(EXPRESS);
    const record = project.record;
    const files = Object.keys(record.files).map((path) => {
      const content = readFileSync(join(project.root, path));
      return [path, `${crc32(content).toString(16).padStart(8, "0")}-${content.length.toString(16)}`];
    });
    const { name, framework, backend, packageManager, nodePinned } = record.answers as Record<string, unknown>;
    const answers = { name, framework, backend, packageManager, nodePinned };
    const old = { version: record.version, answers, files: Object.fromEntries(files) };
    project.write(".session-app.json", `${JSON.stringify(old, null, 2)}\n`);
    project.git("commit", "--quiet", "--all", "--amend", "--no-edit");
    project.edit("src/config.ts", append("// Mine.\n"));
    project.commit();
    const { code, stderr } = await update(project, ["--no-install"], second, OFFLINE);
    expect(code, stderr).toBe(0);
    expect(project.read("src/config.ts")).toMatch(/^\/\/ New[\s\S]*\/\/ Mine\.\n$/);
    expect(project.record).toMatchObject({ format: 1, version: "0.4.0" });
  });
});

/** The last commit before projects were laid out by whose a file is; its records are of before format 1. */
const OLD = "d9ce326";
const hasOld = spawnSync("git", ["cat-file", "-e", `${OLD}^{commit}`], { cwd: repository }).status === 0;

describe.skipIf(!hasOld)(`a project made at ${OLD}, from this repository's history`, () => {
  const old = temporaryFolder();

  beforeAll(() => {
    const archive = execFileSync(
      "git",
      ["archive", OLD, "create-session-app", "runtime", "templates", "package.json"],
      {
        cwd: repository,
        maxBuffer: 1 << 28,
      },
    );
    execFileSync("tar", ["-x", "-C", old], { input: archive });
    symlinkSync(join(repository, "node_modules"), join(old, "node_modules"));
  });

  test.each([
    ["express", "postgres"],
    ["hono", "redis"],
    ["node", "sqlite"],
  ])(
    "L1 L2 L3: comes to now with all that the user has added, in files that have moved since: %s, %s",
    async (...pair) => {
      const folder = temporaryFolder();
      const [framework = "", backend = ""] = pair;
      const cli = join(old, "create-session-app/src/cli.ts");
      const flags = ["app", "-f", framework, "-b", backend, "--pm", "npm", "--no-install", "--no-git"];
      expect((await runCli(cli, flags, { cwd: folder })).code).toBe(0);
      const project = new Project(join(folder, "app"));
      project.git("init", "--quiet");
      project.commit();
      const edited = [
        "src/config.ts",
        "src/page.ts",
        "src/session/driver.ts",
        "src/handlers.ts",
        "test/config.test.ts",
      ];
      for (const path of edited) project.edit(path, append(`// Mine: ${path}.\n`));
      project.edit(".env.example", (text) => text.replace("#PORT=3000", "PORT=8080"));
      project.remove("Dockerfile");
      project.commit();

      const { code, stdout, stderr } = await second.run(["update", "--no-install", "--json"], project.root, OFFLINE);
      const { files, conflicts } = JSON.parse(stdout);
      expect([code, stderr.includes(" conflicts:\n")]).toEqual(conflicts.length === 0 ? [0, false] : [1, true]);
      for (const path of edited) {
        const now = files.find((file: { path: string; from?: string }) => (file.from ?? file.path) === path);
        expect(project.read(now?.path ?? path)).toContain(`// Mine: ${path}.\n`);
      }
      expect(files.filter(({ from }: { from?: string }) => from !== undefined).length).toBeGreaterThan(5);
      expect(project.read(".env.example")).toMatch(/^PORT=8080$/m);
      expect(existsSync(join(project.root, "Dockerfile"))).toBe(false);

      for (const path of conflicts) settle(project, path);
      if (conflicts.length > 0) expect((await update(project, ["--no-install", "--continue"])).code).toBe(0);
      expect(project.record).toMatchObject({ format: 1, version: "0.4.0" });
    },
  );
});

describe("several versions", () => {
  test.each([
    EXPRESS,
    ["-f", "hono", "-b", "sqlite", "--pm", "pnpm"],
    ["-f", "fastify", "-b", "postgres", "--minimal"],
  ])("L2: one by one or in one leap, a project comes out with the same bytes: %s %s %s %s", async (...choice) => {
    const third = new Version("0.5.0", second);
    third.edit("templates/base/files/src/config.ts", append("// New in 0.5.0.\n"));
    third.edit("runtime/src/session/token.ts", (text) => `// New in 0.5.0.\n${text}`);
    third.write("CHANGELOG.md", "# Changelog\n\n## 0.5.0\n\n- Even safer.\n\n## 0.4.0\n\n- Tokens are safer.\n");
    const step = await first.create(choice);
    step.edit("src/session-data.ts", append("// Mine.\n"));
    step.edit("package.json", (text) => text.replace('"scripts": {', '"scripts": {\n    "mine": "true",'));
    step.commit();
    const leap = new Project(join(temporaryFolder(), "app"));
    cpSync(step.root, leap.root, { recursive: true });
    for (const version of [second, third]) {
      expect((await update(step, ["--no-install"], version)).code).toBe(0);
      step.commit();
    }
    const { stdout, code } = await update(leap, ["--no-install"], third);
    expect(code).toBe(0);
    expect(stdout).toMatch(/What is new in 0\.5\.0:\n\n- Even safer\.\n\nWhat is new in 0\.4\.0:/);
    const files = (project: Project) =>
      Object.fromEntries(Object.entries(snapshot(project.root)).filter(([path]) => !path.startsWith(".git/")));
    expect(files(step)).toEqual(files(leap));
  });
});
