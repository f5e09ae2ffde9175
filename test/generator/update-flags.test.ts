// `update`: the flags that look without writing, what is refused, and wrong usage.
// Change it when the command takes another flag or refuses something else.
import { cpSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "./sandbox.ts";
import { snapshot } from "./tree.ts";
import { EXPRESS, first, second, update } from "./updates.ts";
import { append, OFFLINE, Project } from "./versions.ts";

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
