// `update`: what becomes of a project that a user has worked on, from the merge over its conflicts to the installation.
// Change it when a project is brought to a newer version in another way.
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { programs, temporaryFolder } from "./sandbox.ts";
import { snapshot } from "./tree.ts";
import { EXPRESS, first, registryWith, second, settle, update } from "./updates.ts";
import { append, OFFLINE, type Project, Version } from "./versions.ts";

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
