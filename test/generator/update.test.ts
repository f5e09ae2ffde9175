// `update`, run on projects of several pairs that a user has worked on, with a changed set of packs.
// Change it when a project is brought to a newer version in another way.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { programs, repository, runCli, temporaryFolder } from "./sandbox.ts";
import { snapshot } from "./tree.ts";
import { append, Project, Version } from "./versions.ts";

const EXPRESS = ["-f", "express", "-b", "redis"];

let first: Version;
let second: Version;

beforeAll(() => {
  first = new Version("0.3.0");
  second = new Version("0.4.0", first);
  second.write("CHANGELOG.md", "# Changelog\n\n## 0.4.0, 2027-01-01\n\n- Tokens are safer.\n\n## 0.3.0\n\n- Old.\n");
  second.edit("runtime/src/session/token.ts", append("// New in 0.4.0.\n"));
  second.edit("runtime/src/session/cookie.ts", append("// New in 0.4.0.\n"));
  second.edit("templates/base/files/src/config.ts", (text) => `// New in 0.4.0.\n${text}`);
  second.write("templates/base/files/src/http/new.ts", "export const added = true;\n");
  second.edit("templates/frameworks/express/package.json", (text) =>
    text.replace(/"express": "[^"]*"/, '"express": "^5.99.0"'),
  );
});

async function update(project: Project, parameters: string[] = ["--no-install"], version = second, env = {}) {
  const { code, stdout, stderr } = await version.run(["update", ...parameters], project.root, env);
  return { code, stdout, stderr };
}

/** Without npm, nothing can be made again by an older version. */
const OFFLINE = programs({ npm: "echo no network; exit 1" });

/** Stands in for npm and a registry that has this version: `npm exec --yes --package=create-session-app@0.3.0 -- create-session-app …`. */
function registryWith({ version, cli }: Version): { PATH: string } {
  const asked = `exec --yes --package=create-session-app@${version}`;
  return programs({ npm: `[ "$1 $2 $3" = "${asked}" ] && shift 5 && exec ${process.execPath} ${cli} "$@"` });
}

/** Keeps both sides. */
function settle(project: Project, path: string): void {
  project.edit(path, (text) => text.replace(/^<<<<<<<.*\n|^=======\n|^>>>>>>>.*\n/gm, ""));
}

describe("a project that the user has worked on", () => {
  test("L1 L2 L3: is merged offline, from its own history, and the record says what was done", async () => {
    const project = await first.create(EXPRESS);
    project.edit("src/config.ts", append("// Mine.\n"));
    project.edit("src/main.ts", (text) => `// Mine.\n${text}`);
    project.edit("package.json", (text) =>
      text.replace('"dependencies": {', '"dependencies": {\n    "zod": "^4.0.0",'),
    );
    project.write("src/mine.ts", "export {};\n");
    project.remove("src/session/cookie.ts");
    project.commit();

    const { code, stdout, stderr } = await update(project, ["--no-install"], second, OFFLINE);
    expect(code, stderr).toBe(0);
    expect(project.read("src/config.ts")).toMatch(/^\/\/ New in 0\.4\.0\.\n[\s\S]*\/\/ Mine\.\n$/);
    expect(project.read("src/session/token.ts")).toMatch(/\/\/ New in 0\.4\.0\.\n$/);
    expect(project.read("src/main.ts")).toMatch(/^\/\/ Mine\.\n/);
    expect(project.read("src/http/new.ts")).toBe("export const added = true;\n");
    expect(JSON.parse(project.read("package.json")).dependencies).toMatchObject({ zod: "^4.0.0", express: "^5.99.0" });
    expect(existsSync(join(project.root, "src/session/cookie.ts"))).toBe(false);
    expect(project.record).toMatchObject({ format: 1, version: "0.4.0", answers: { framework: "express" } });

    expect(stdout).toContain('Updated "app" from 0.3.0 to 0.4.0.');
    expect(stdout).toContain("src/config.ts: merged with your changes");
    expect(stdout).toMatch(/1 file that you have deleted[\s\S]*src\/session\/cookie\.ts/);
    expect(stdout).toContain("What is new in 0.4.0:\n\n- Tokens are safer.");
    expect(stdout).not.toContain("- Old.");

    const after = snapshot(project.root);
    const again = await update(project, ["--no-install", "--force"]);
    expect(again).toMatchObject({ code: 0, stdout: '✔ "app" is up to date with 0.4.0.\n' });
    expect(snapshot(project.root)).toEqual(after);
  });

  test("L2: --restore brings back what was deleted, in its newest form; wrong paths are wrong usage", async () => {
    const project = await first.create(EXPRESS);
    project.remove("src/session/cookie.ts");
    project.commit();
    expect(await update(project, ["--restore", "src/nothing.ts"])).toMatchObject({ code: 2 });
    expect(await update(project, ["--restore", "src/main.ts"])).toMatchObject({ code: 2 });
    const { code } = await update(project, ["--no-install", "--restore", "src/session/cookie.ts"]);
    expect(code).toBe(0);
    expect(project.read("src/session/cookie.ts")).toMatch(/\/\/ New in 0\.4\.0\.\n$/);
  });

  test("L2: a file that the user has moved is followed, by this update and by the next", async () => {
    const project = await first.create(EXPRESS);
    mkdirSync(join(project.root, "lib"));
    renameSync(join(project.root, "src/session/token.ts"), join(project.root, "lib/token [v2].ts"));
    project.commit();
    project.edit("lib/token [v2].ts", (text) => `// Mine.\n${text}`);
    project.commit();
    expect((await update(project)).code).toBe(0);
    expect(project.read("lib/token [v2].ts")).toMatch(/^\/\/ Mine\.\n[\s\S]*\/\/ New in 0\.4\.0\.\n$/);
    expect(project.record.moved).toEqual({ "src/session/token.ts": "lib/token [v2].ts" });
    project.commit();

    const third = new Version("0.5.0", second);
    third.edit("runtime/src/session/token.ts", append("// New in 0.5.0.\n"));
    // What 0.4.0 generated was never committed as it is, so that version has to make it again.
    const { code, stderr } = await update(project, ["--no-install"], third, registryWith(second));
    expect(code, stderr).toBe(0);
    expect(project.read("lib/token [v2].ts")).toMatch(/^\/\/ Mine\.\n[\s\S]*0\.4\.0\.\n\/\/ New in 0\.5\.0\.\n$/);
    expect(existsSync(join(project.root, "src/session/token.ts"))).toBe(false);
  });

  test("L2: line ends of Windows stay, and are no edits", async () => {
    const project = await first.create(EXPRESS);
    for (const path of Object.keys(project.record.files)) {
      project.write(path, project.read(path).replaceAll("\n", "\r\n"));
    }
    project.edit("src/config.ts", append("// Mine.\r\n"));
    project.commit();
    const { code, stderr } = await update(project);
    expect(code, stderr).toBe(0);
    for (const path of ["src/config.ts", "src/session/token.ts", "package.json"]) {
      expect(project.read(path)).not.toMatch(/(^|[^\r])\n/);
    }
    expect(project.read("src/config.ts")).toMatch(/^\/\/ New in 0\.4\.0\.\r\n[\s\S]*\/\/ Mine\.\r\n$/);
    project.edit(".session-app.json", (text) => text.replaceAll("\n", "\r\n"));
    project.commit();
    expect((await update(project)).stdout).toBe('✔ "app" is up to date with 0.4.0.\n');
  });

  test("L4: what isn't a plain file is left alone, and nothing is written through a link", async () => {
    const project = await first.create(EXPRESS);
    const elsewhere = temporaryFolder();
    cpSync(join(project.root, "src/session"), join(elsewhere, "session"), { recursive: true });
    project.remove("src/session");
    symlinkSync(join(elsewhere, "session"), join(project.root, "src/session"));
    project.commit();
    const before = snapshot(elsewhere);
    const { code, stderr } = await update(project);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('"src/session/token.ts" is not a plain file, so it is left as it is.');
    expect(snapshot(elsewhere)).toEqual(before);
  });
});

describe("conflicts", () => {
  async function conflicting(): Promise<Project> {
    const project = await first.create(EXPRESS);
    project.edit("src/config.ts", (text) => `// Mine.\n${text}`);
    project.edit("src/session/cookie.ts", append("// Mine.\n"));
    project.commit();
    return project;
  }

  test("L3: are listed with exit code 1; nothing is run; the record waits until they are gone", async () => {
    const project = await conflicting();
    const ran = join(temporaryFolder(), "ran");
    const npm = programs({ npm: `echo "$@" >> ${ran}` });
    const { code, stderr } = await update(project, [], second, npm);
    expect(code).toBe(1);
    expect(stderr).toContain("2 files have conflicts:\n  src/config.ts\n  src/session/cookie.ts\n");
    expect(existsSync(ran)).toBe(false);
    expect(project.read("src/config.ts")).toMatch(
      /^<<<<<<< yours\n\/\/ Mine\.\n=======\n\/\/ New in 0\.4\.0\.\n>>>>>>> create-session-app 0\.4\.0\n/,
    );
    expect(project.record).toMatchObject({ version: "0.3.0", pending: { version: "0.4.0" } });

    settle(project, "src/config.ts");
    const half = await update(project, ["--continue"], second, npm);
    expect(half.code).toBe(1);
    expect(half.stderr).toContain("1 file has conflicts:\n  src/session/cookie.ts\n");
    expect(existsSync(ran)).toBe(false);

    settle(project, "src/session/cookie.ts");
    const settled = project.read("src/config.ts");
    const done = await update(project, ["--continue"], second, npm);
    expect(done.code, done.stderr).toBe(0);
    expect(readFileSync(ran, "utf8")).toBe("install --include=dev\nrun typecheck\n");
    expect(project.read("src/config.ts")).toBe(settled);
    expect(project.record.version).toBe("0.4.0");
    expect(project.record).not.toHaveProperty("pending");
    expect((await update(project, ["--check"])).code).toBe(0);
  });

  test("L3: the next run notices by itself that they are settled", async () => {
    const project = await conflicting();
    await update(project);
    for (const path of ["src/config.ts", "src/session/cookie.ts"]) settle(project, path);
    const { code, stdout } = await update(project);
    expect(code).toBe(0);
    expect(stdout).toContain("Finished the update to 0.4.0.");
    expect(project.record.version).toBe("0.4.0");
  });

  test("L4: git takes an update back, its record included, and it can be run again", async () => {
    const project = await conflicting();
    await update(project);
    project.git("checkout", "--quiet", ".");
    project.git("clean", "--quiet", "--force", "-d");
    expect(project.record).not.toHaveProperty("pending");
    expect((await update(project)).code).toBe(1);
    expect(project.read("src/config.ts")).toContain("<<<<<<< yours");
  });

  test("L3: --continue without an update under way is wrong usage", async () => {
    expect(await update(await first.create(EXPRESS), ["--continue"])).toMatchObject({ code: 2 });
  });
});

describe("looking before leaping", () => {
  test("L4: --check, --dry-run and --diff write nothing; --check exits with 1 while there is something to take", async () => {
    const project = await first.create(EXPRESS);
    project.edit("src/config.ts", append("// Mine.\n"));
    const before = snapshot(project.root);
    const check = await update(project, ["--check"]);
    expect(check.code).toBe(1);
    expect(check.stderr).toMatch(/^\d+ files would change\./);
    const dry = await update(project, ["--dry-run"]);
    expect(dry.code).toBe(0);
    expect(dry.stdout).toContain("src/config.ts: merged with your changes");
    const diff = await update(project, ["--diff"]);
    expect(diff.code).toBe(0);
    expect(diff.stdout).toMatch(
      /^--- a\/src\/config\.ts\n\+\+\+ b\/src\/config\.ts\n@@ -1,3 \+1,4 @@\n\+\/\/ New in 0\.4\.0\.\n /m,
    );
    expect(diff.stdout).not.toMatch(/^[+-]\/\/ Mine\.$/m);
    expect(snapshot(project.root)).toEqual(before);
  });

  test("C3 L4: --json is one document that says what became of each file", async () => {
    const project = await first.create(EXPRESS);
    project.edit("src/config.ts", append("// Mine.\n"));
    const { code, stdout } = await update(project, ["--json", "--dry-run"]);
    const document = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(document).toMatchObject({ ok: true, from: "0.3.0", version: "0.4.0", conflicts: [] });
    expect(document.files).toContainEqual({ path: "src/config.ts", outcome: "merged", notes: [] });
    expect(document.files).toContainEqual({ path: "src/session/token.ts", outcome: "taken", notes: [] });
    expect(document.releases).toEqual([{ version: "0.4.0", text: "- Tokens are safer." }]);
  });

  test("L4: what isn't committed is refused, and so are files of git's eye in the way; --force goes on", async () => {
    const project = await first.create(EXPRESS);
    project.write("notes.txt", "mine\n");
    project.write("src/http/new.ts", "mine\n");
    const untracked = await update(project);
    expect(untracked.code).toBe(1);
    expect(untracked.stderr).toMatch(/not committed:\n {2}src\/http\/new\.ts\n[^ ]/);
    project.remove("src/http/new.ts");
    project.edit("src/main.ts", append("// Mine.\n"));
    const before = snapshot(project.root);
    const edited = await update(project);
    expect(edited.code).toBe(1);
    expect(edited.stderr).toMatch(/not committed:\n {2}src\/main\.ts\n[^ ]/);
    expect(snapshot(project.root)).toEqual(before);
    expect((await update(project, ["--no-install", "--force"])).code).toBe(0);
    expect(project.read("src/main.ts")).toMatch(/\/\/ Mine\.\n$/);
  });

  test("L4: a project in a folder of a larger repository is seen alone", async () => {
    const inner = await first.create(EXPRESS, { git: false });
    const outer = new Project(temporaryFolder());
    outer.git("init", "--quiet");
    const project = new Project(join(outer.root, "apps/my web"));
    cpSync(inner.root, project.root, { recursive: true });
    outer.write("other.txt", "1\n");
    outer.commit();
    outer.write("other.txt", "2\n");
    project.edit("src/config.ts", append("// Mine.\n"));
    project.git("commit", "--quiet", "--all", "--message", "Work");
    outer.write("other.txt", "3\n");
    const { code, stderr } = await update(project, ["--no-install"], second, OFFLINE);
    expect(code, stderr).toBe(0);
    expect(project.read("src/config.ts")).toMatch(/^\/\/ New[\s\S]*\/\/ Mine\.\n$/);
  });
});

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

describe("what can't be updated", () => {
  test("C8: no project, a newer one, a damaged record: one clear message", async () => {
    const empty = new Project(temporaryFolder());
    expect(await update(empty)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("no project that create-session-app"),
    });
    const project = await second.create(EXPRESS, { git: false });
    expect(await update(project, [], first)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("npm create session-app@latest"),
    });
    project.write(".session-app.json", "{");
    expect(await update(project)).toMatchObject({ code: 1, stderr: expect.stringContaining("it isn't JSON") });
  });

  test.each(["../outside.ts", "/etc/passwd", "src/../../x", ".git/hooks/pre-commit", "a\\b"])(
    "C6: a record that names %s is refused",
    async (path) => {
      const project = await first.create(EXPRESS, { git: false });
      const record = project.record;
      record.files[path] = { blob: "0".repeat(40) };
      project.write(".session-app.json", JSON.stringify(record));
      const { code, stderr } = await update(project, ["--force"]);
      expect(code).toBe(1);
      expect(stderr).toContain("is no path below the project");
    },
  );

  test("C8: options of other commands, and of this one elsewhere, are wrong usage", async () => {
    const project = await first.create(EXPRESS, { git: false });
    expect(await update(project, ["--name", "other"])).toMatchObject({
      code: 2,
      stderr: "update takes no --name, only create does.\n",
    });
    const create = await first.run(["app", "--yes", "--continue"], temporaryFolder());
    expect(create).toMatchObject({ code: 2, stderr: "create takes no --continue, only update does.\n" });
  });
});

describe("after the merge", () => {
  test("L3: dependencies are installed and types checked; a failure of either is exit code 1, with its output", async () => {
    const project = await first.create(EXPRESS);
    const ran = join(temporaryFolder(), "ran");
    const done = await update(project, [], second, programs({ npm: `echo "$@" >> ${ran}` }));
    expect(done.code, done.stderr).toBe(0);
    expect(readFileSync(ran, "utf8")).toBe("install --include=dev\nrun typecheck\n");
    expect(done.stdout).toContain("Types checked.");

    const other = await first.create(EXPRESS);
    const failing = programs({ npm: '[ "$1" = install ] && exit 0; echo "src/a.ts(1,1): error"; exit 2' });
    const failed = await update(other, [], second, failing);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("src/a.ts(1,1): error\n");
    expect(failed.stderr).toContain("npm run typecheck failed");
    expect(other.record.version).toBe("0.4.0");
  });
});
