// Targets that resist: full, read-only, not ours, full of traps. Nothing is lost, and the message says what it was.
// Change it when the initializer may write to places that it refuses today.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, statfsSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { builtCli, cloneWithFixtures, repository, runCli, temporaryFolder } from "./sandbox.ts";
import { snapshot } from "./tree.ts";

const cli = builtCli(cloneWithFixtures());
const NEW = ["app", "-f", "alpha", "-b", "plain", "--no-install", "--no-git"];
const INTO = [...NEW, "--overwrite"];

function run(cwd: string, parameters = NEW, interference?: object) {
  const hook = join(repository, "test/generator/interference.cjs");
  const env = interference && { NODE_OPTIONS: `--require ${hook}`, INTERFERENCE: JSON.stringify(interference) };
  return runCli(cli, parameters, { cwd, env });
}

const mounted: string[] = [];

afterAll(() => {
  for (const folder of mounted) execFileSync("umount", ["-l", folder]);
});

/** A file system of its own, where this user may mount one. */
function mount(options: string): string | undefined {
  const folder = temporaryFolder();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  mounted.push(folder);
  return folder;
}

const canMount = mount("size=64k") !== undefined;

describe("collisions", () => {
  test("C6: lists every colliding path, and changes nothing", async () => {
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, "app/src"), { recursive: true });
    writeFileSync(join(cwd, "app/package.json"), "{}\n");
    writeFileSync(join(cwd, "app/src/config.ts"), "mine\n");
    const before = snapshot(cwd);
    const { code, stderr } = await run(cwd);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^2 paths are in the way in ".*app":\n {2}package\.json\n {2}src\/config\.ts\n.*--overwrite/,
    );
    expect(snapshot(cwd)).toEqual(before);
    const json = await run(cwd, [...NEW, "--json"]);
    expect(JSON.parse(json.stdout).error).toMatchObject({
      code: "COLLISION",
      paths: ["package.json", "src/config.ts"],
    });
    expect((await run(cwd, [...NEW, "--dry-run"])).code).toBe(1);
  });

  test("C6: --overwrite replaces those paths and touches nothing else", async () => {
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, "app/src"), { recursive: true });
    writeFileSync(join(cwd, "app/package.json"), "{}\n");
    writeFileSync(join(cwd, "app/src/mine.ts"), "mine\n");
    const { code, stdout } = await run(cwd, INTO);
    expect(code).toBe(0);
    expect(stdout).toContain("19 files, 1 of them replaced.");
    expect(JSON.parse(readFileSync(join(cwd, "app/package.json"), "utf8")).name).toBe("app");
    expect(readFileSync(join(cwd, "app/src/mine.ts"), "utf8")).toBe("mine\n");
  });

  test("C6: a folder where a file should go, or a file where a folder should, is refused even with --overwrite", async () => {
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, "app/README.md"), { recursive: true });
    writeFileSync(join(cwd, "app/README.md/mine.txt"), "mine\n");
    writeFileSync(join(cwd, "app/public"), "mine\n");
    const before = snapshot(cwd);
    const { code, stderr } = await run(cwd, INTO);
    expect(code).toBe(1);
    for (const path of ["README.md", "public/icon.png", "public/style.css"]) expect(stderr).toContain(`  ${path}\n`);
    expect(stderr).toContain('"public" is not a folder');
    expect(snapshot(cwd)).toEqual(before);
  });
});

describe("symbolic links", () => {
  test("C6: a folder that is a link leading out of the target is never followed", async () => {
    const cwd = temporaryFolder();
    const outside = temporaryFolder();
    mkdirSync(join(cwd, "app"));
    symlinkSync(outside, join(cwd, "app/src"));
    const before = snapshot(cwd);
    for (const parameters of [NEW, INTO]) {
      const { code, stderr } = await run(cwd, parameters);
      expect(code).toBe(1);
      expect(stderr).toContain('"src" is not a folder, and a link is not followed.');
      expect([snapshot(cwd), snapshot(outside)]).toEqual([before, {}]);
    }
  });

  test("C6: a file that is a link is replaced itself with --overwrite, never what it leads to", async () => {
    const cwd = temporaryFolder();
    const outside = temporaryFolder();
    writeFileSync(join(outside, "precious.md"), "precious\n");
    mkdirSync(join(cwd, "app"));
    symlinkSync(join(outside, "precious.md"), join(cwd, "app/README.md"));
    symlinkSync(join(outside, "missing"), join(cwd, "app/package.json"));
    expect((await run(cwd)).stderr).toContain("  README.md\n  package.json\n");
    expect((await run(cwd, INTO)).code).toBe(0);
    expect(snapshot(outside)).toEqual({ "precious.md": expect.any(String) });
    expect(readFileSync(join(outside, "precious.md"), "utf8")).toBe("precious\n");
    expect(readFileSync(join(cwd, "app/README.md"), "utf8")).toContain("# app");
  });

  test("C6: a folder that becomes a link between the look and the move is not followed", async () => {
    const cwd = temporaryFolder();
    const outside = temporaryFolder();
    mkdirSync(join(cwd, "app/src"), { recursive: true });
    const script = `rmdir ${cwd}/app/src/* ${cwd}/app/src; ln -s ${outside} ${cwd}/app/src`;
    const { code, stderr } = await run(cwd, INTO, { before: "linkSync .*public/style.css", script });
    expect(code).toBe(1);
    expect(stderr).toContain("is no longer a folder; nothing was changed.");
    expect([snapshot(join(cwd, "app")), snapshot(outside)]).toEqual([{ src: `-> ${outside}` }, {}]);
  });

  test("C8: a target that is a link leading nowhere, a file, or below a file is one clear line", async () => {
    const cwd = temporaryFolder();
    symlinkSync("nowhere", join(cwd, "app"));
    expect(await run(cwd)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/is a symbolic link that leads nowhere\.\n$/),
    });
    writeFileSync(join(cwd, "file"), "");
    const rest = NEW.slice(1);
    expect(await run(cwd, ["file", ...rest])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/is not a directory\.\n$/),
    });
    expect(await run(cwd, ["file/app", ...rest])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/is not a directory, so nothing can be made in it\.\n$/),
    });
  });
});

describe("a stage that somebody else made", () => {
  const file = { path: "../victim", before: true, after: "0" };
  const forged = (files: object[], folders: string[] = []) => JSON.stringify({ state: "moving", files, folders });

  test.each([
    ["leads out of the target", forged([file])],
    ["leads to an absolute path", forged([{ ...file, path: "/tmp/victim" }])],
    ["leads into git's own folder", forged([{ ...file, path: ".Git/hooks/pre-commit" }])],
    ["leads to such a folder in Windows' words", forged([{ ...file, path: "GIT~1\\hooks\\pre-commit" }])],
    ["makes folders elsewhere", forged([], ["../victim"])],
    ["says nothing of a file", forged([{ path: "victim" }])],
    ["removes a file that was not there", forged([{ path: "victim", before: false, after: null }])],
    ["is null", "null"],
    ["is empty", "{}"],
  ])("C6 C8: a note that %s is not believed", async (_, note) => {
    const cwd = temporaryFolder();
    const stage = join(cwd, "app/.create-session-app");
    mkdirSync(join(stage, "old"), { recursive: true });
    writeFileSync(join(stage, "old/0"), "#!/bin/sh\n");
    for (const name of ["journal.json", "journal.elsewhere.1.1"]) {
      writeFileSync(join(stage, name), note);
      utimesSync(join(stage, name), 0, 0);
    }
    const before = snapshot(cwd);
    for (const parameters of [INTO, [...INTO, "--dry-run"]]) {
      const { code, stderr } = await run(cwd, parameters);
      if (code !== 0) {
        expect(stderr).toMatch(/^".*\.create-session-app" isn't something that create-session-app made\. .*\n$/);
      }
      expect([code, snapshot(cwd)]).toEqual([parameters === INTO ? 1 : 0, before]);
    }
  });

  test.each(["old", "new"])("C6: a note beside a link in place of %s is not believed", async (link) => {
    const cwd = temporaryFolder();
    const outside = temporaryFolder();
    writeFileSync(join(outside, "0"), "precious\n");
    const stage = join(cwd, "app/.create-session-app");
    mkdirSync(stage, { recursive: true });
    symlinkSync(outside, join(stage, link));
    writeFileSync(join(stage, "journal.elsewhere.1.1"), forged([{ ...file, path: "taken" }]));
    utimesSync(join(stage, "journal.elsewhere.1.1"), 0, 0);
    const before = snapshot(cwd);
    expect(await run(cwd, INTO)).toMatchObject({ code: 1, stderr: expect.stringContaining("isn't something that") });
    expect([snapshot(cwd), Object.keys(snapshot(outside))]).toEqual([before, ["0"]]);
  });
});

describe("a target that appears meanwhile", () => {
  test.each([
    ["a directory with a file", (app: string) => `mkdir ${app} && echo theirs > ${app}/README.md`],
    ["a file", (app: string) => `echo theirs > ${app}`],
    ["a link that leads elsewhere", (app: string) => `mkdir ${app}.real && ln -s ${app}.real ${app}`],
  ])("C5 C6: %s stays as it is", async (_, script) => {
    const cwd = temporaryFolder();
    const twin = temporaryFolder();
    execFileSync("sh", ["-c", script(join(twin, "app"))]);
    const before = JSON.stringify(snapshot(twin)).replaceAll(twin, cwd);
    const { code, stderr } = await run(cwd, NEW, { before: "renameSync .*app$", script: script(join(cwd, "app")) });
    expect(code).toBe(1);
    expect(stderr).toContain("has appeared in the meantime");
    expect(JSON.stringify(snapshot(cwd))).toBe(before);
  });

  test("C6: a file that appears in an existing directory is not replaced, and the rest is taken back", async () => {
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, "app"));
    const script = `echo theirs > ${cwd}/app/src/main.ts`;
    const { code, stderr } = await run(cwd, INTO, { before: "linkSync .*src/main.ts", script });
    expect(code).toBe(1);
    expect(stderr).toContain('"src/main.ts" has appeared in the meantime');
    expect(Object.keys(snapshot(join(cwd, "app")))).toEqual(["src/", "src/main.ts"]);
    expect(readFileSync(join(cwd, "app/src/main.ts"), "utf8")).toBe("theirs\n");
  });
});

describe.skipIf(!canMount)("a full disk (needs the right to mount a tmpfs)", () => {
  const sizes = Array.from({ length: 16 }, (_, index) => 8 + index * 8);

  test.each(sizes)("C5: with %i kB free, all of the project is there, or nothing has changed", async (size) => {
    for (const existing of [false, true]) {
      const cwd = mount(`size=${size}k`) ?? "";
      if (existing) {
        mkdirSync(join(cwd, "app"));
        writeFileSync(join(cwd, "app/README.md"), "mine\n");
      }
      const before = snapshot(cwd);
      const { code, stderr } = await run(cwd, INTO);
      if (code === 0) expect(Object.keys(snapshot(cwd))).toContain("app/.session-app.json");
      else {
        expect([code, snapshot(cwd)]).toEqual([1, before]);
        expect(stderr).toMatch(/^Can't write to ".*app": no space is left on the device\.\n$/);
      }
    }
  });

  test.each(sizes)("C5 C6: with %i kB free, a project that is generated again is whole, or as it was", async (size) => {
    const cwd = mount("size=2m") ?? "";
    expect((await run(cwd)).code).toBe(0);
    writeFileSync(join(cwd, "app/README.md"), "mine\n");
    const before = snapshot(cwd);
    const { blocks, bfree, bsize } = statfsSync(cwd);
    execFileSync("mount", ["-o", `remount,size=${((blocks - bfree) * bsize) / 1024 + size}k`, cwd]);
    const { code, stderr } = await run(cwd, INTO);
    if (code === 0) expect(stderr).toBe("");
    else expect([code, snapshot(cwd)]).toEqual([1, before]);
  });

  test("C5: the sizes above meet both a full disk and one with room", async () => {
    expect((await run(mount(`size=${sizes[0]}k`) ?? "")).code).toBe(1);
    expect((await run(mount(`size=${sizes.at(-1)}k`) ?? "")).code).toBe(0);
  });
});

describe("places that may not be written", () => {
  test.skipIf(!canMount)("C8: a read-only file system is one clear line", async () => {
    const cwd = mount("size=64k") ?? "";
    mkdirSync(join(cwd, "app"));
    execFileSync("mount", ["-o", "remount,ro", cwd]);
    for (const directory of ["app", "new"]) {
      const { code, stderr } = await run(cwd, [directory, ...NEW.slice(1)]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^Can't write to ".*": the file system is read-only\.\n$/);
    }
    expect(snapshot(cwd)).toEqual({ "app/": "755" });
  });

  test("C8: a directory without permission is one clear line", async () => {
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, "app"), { mode: 0o555 });
    chmodSync(cwd, 0o555);
    // root may write everywhere, so root asks somebody else to try.
    const uid = process.getuid?.() === 0 ? 65534 : undefined;
    if (uid !== undefined) chmodSync(join(cli, "../../.."), 0o755);
    const before = snapshot(cwd);
    for (const directory of ["app", "new"]) {
      const { code, stderr } = await runCli(cli, [directory, ...NEW.slice(1)], { cwd, uid });
      expect(code).toBe(1);
      expect(stderr).toMatch(/^Can't write to ".*": permission denied\.\n$/);
    }
    expect(snapshot(cwd)).toEqual(before);
    chmodSync(cwd, 0o755);
  });
});
