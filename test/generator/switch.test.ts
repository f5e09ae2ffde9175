// `switch`: another backend or framework for a project, there and back, with and without a user's work.
// Change it when another answer can be switched.
import { cpSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { packs } from "../../scripts/packs.ts";
import { temporaryFolder } from "./sandbox.ts";
import { snapshot } from "./tree.ts";
import { append, OFFLINE, Project, Version } from "./versions.ts";

const MINUTES = 60_000;

let version: Version;
const made = new Map<string, Project>();

beforeAll(() => {
  version = new Version("0.4.0");
});

/** A project as it is generated, not to be changed. */
async function generated(framework: string, backend: string): Promise<Project> {
  const key = `${framework} ${backend}`;
  const project = made.get(key) ?? (await version.create(["-f", framework, "-b", backend], { git: false }));
  made.set(key, project);
  return project;
}

async function switchTo(project: Project, parameters: string[]) {
  const { code, stdout, stderr } = await version.run(["switch", ...parameters, "--no-install"], project.root, OFFLINE);
  return { code, stdout, stderr };
}

function copyOf(project: Project): Project {
  const copy = new Project(join(temporaryFolder(), "app"));
  cpSync(project.root, copy.root, { recursive: true });
  return copy;
}

/** What a user does that no backend has a say in. */
function work(project: Project): void {
  project.edit("src/main.ts", append("// Mine.\n"));
  project.edit("src/session-data.ts", append("// Mine.\n"));
  project.edit("package.json", (text) => text.replace('"dependencies": {', '"dependencies": {\n    "zod": "^4.0.0",'));
  project.edit("package.json", (text) => text.replace('"scripts": {', '"scripts": {\n    "mine": "true",'));
  project.edit(".gitignore", append("mine\n"));
  project.edit(".env.example", (text) => text.replace("#PORT=3000", "PORT=8080"));
  project.write("src/mine.ts", "// Mine.\n");
  project.remove("Dockerfile");
}

describe("there and back", () => {
  test.each(packs("backends"))(
    "L5: from %s to every other backend and back, a project has its bytes again",
    {
      timeout: 10 * MINUTES,
    },
    async (from) => {
      const project = await generated("express", from);
      const worked = copyOf(project);
      work(worked);
      for (const to of packs("backends").filter((id) => id !== from)) {
        const copy = copyOf(project);
        const there = await switchTo(copy, ["--backend", to]);
        expect(there.code, `${to}: ${there.stderr}`).toBe(0);
        const generated = await version.create(["-f", "express", "-b", to], { git: false });
        expect(snapshot(copy.root), to).toEqual(snapshot(generated.root));
        expect((await switchTo(copy, ["-b", from])).code, to).toBe(0);
        expect(snapshot(copy.root), to).toEqual(snapshot(project.root));
      }
      const [to = ""] = packs("backends").filter((id) => id !== from);
      const before = snapshot(worked.root);
      const there = await switchTo(worked, ["-b", to]);
      expect(there.code, there.stderr).toBe(0);
      expect(worked.read("src/main.ts")).toMatch(/\/\/ Mine\.\n$/);
      expect(worked.read("src/mine.ts")).toBe("// Mine.\n");
      expect(JSON.parse(worked.read("package.json"))).toMatchObject({
        scripts: { mine: "true" },
        dependencies: { zod: "^4.0.0" },
      });
      expect(worked.read(".env.example")).toMatch(/^PORT=8080$/m);
      expect((await switchTo(worked, ["-b", from])).code).toBe(0);
      // The record has learnt what was generated for the files that the user has edited.
      const { generated: texts, ...record } = worked.record;
      expect(Object.keys(texts as object)).toContain("package.json");
      worked.write(".session-app.json", `${JSON.stringify(record, null, 2)}\n`);
      expect(snapshot(worked.root)).toEqual(before);
    },
  );

  test.each(packs("frameworks"))(
    "L5: from %s to every other framework and back, a project has its bytes again",
    {
      timeout: 10 * MINUTES,
    },
    async (from) => {
      const project = await generated(from, "sqlite");
      for (const to of packs("frameworks").filter((id) => id !== from)) {
        const copy = copyOf(project);
        const there = await switchTo(copy, ["--framework", to]);
        expect(there.code, `${to}: ${there.stderr}`).toBe(0);
        const generated = await version.create(["-f", to, "-b", "sqlite"], { git: false });
        expect(snapshot(copy.root), to).toEqual(snapshot(generated.root));
        expect((await switchTo(copy, ["-f", from])).code, to).toBe(0);
        expect(snapshot(copy.root), to).toEqual(snapshot(project.root));
      }
    },
  );
});

/** Each store whose sessions can be copied, with another one to go to. */
const MOVES = packs("backends")
  .filter((id) => id !== "memory")
  .map((id, index, ids) => [id, ids[(index + 1) % ids.length] ?? ""] as const);

describe("with the store that was there before", () => {
  test.each(MOVES)(
    "L5 L6: from %s to %s and back, or to the end of the move, a project has its bytes",
    async (from, to) => {
      const project = copyOf(await generated("express", from));
      const before = snapshot(project.root);
      const there = await switchTo(project, ["-b", to, "--keep-store"]);
      expect(there.code, there.stderr).toBe(0);
      expect(there.stderr).toContain("stays in src/previous-store until its sessions are copied: see docs/moving.md");
      expect(there.stderr).not.toContain("have to sign in again");
      expect(project.record).toMatchObject({ answers: { backend: to, previousBackend: from } });
      for (const path of ["src/previous-store/driver.ts", "src/previous-store/from-url.ts", "docs/moving.md"]) {
        expect(project.read(path)).not.toBe("");
      }
      const moving = snapshot(project.root);
      const updated = await version.run(["update", "--no-install"], project.root, OFFLINE);
      expect([updated.code, snapshot(project.root)], updated.stderr).toEqual([0, moving]);
      const other = copyOf(project);
      expect((await switchTo(project, ["-b", from])).code).toBe(0);
      expect(snapshot(project.root)).toEqual(before);
      expect((await switchTo(other, ["-b", to])).code).toBe(0);
      expect(snapshot(other.root)).toEqual(snapshot((await generated("express", to)).root));
    },
  );

  test("L6: the user's columns go along, and another framework leaves the move as it is", async () => {
    const project = copyOf(await generated("express", "sqlite"));
    const column = (text: string) => text.replace("  version       INTEGER", "  tenant TEXT,\n  version       INTEGER");
    project.edit("schema.sql", column);
    const there = await switchTo(project, ["-b", "redis", "--keep-store"]);
    expect(there.code, there.stderr).toBe(0);
    expect(project.read("previous-schema.sql")).toContain("  tenant TEXT,\n");
    expect((await switchTo(project, ["-f", "koa"])).code).toBe(0);
    expect(project.record).toMatchObject({
      answers: { framework: "koa", backend: "redis", previousBackend: "sqlite" },
    });
    expect((await switchTo(project, ["-b", "redis", "--keep-store"])).stdout).toContain("already");
  });

  test("C8 L6: --keep-store says what is missing, and refuses a store in the app's process", async () => {
    const project = await generated("express", "sqlite");
    for (const [flags, message] of [
      [["-f", "koa", "--keep-store"], "--keep-store goes with --backend ID"],
      [["-b", "sqlite", "--keep-store"], "The project has sqlite already"],
      [["-b", "memory", "--keep-store"], "live in the app's process"],
    ] as const) {
      expect(await switchTo(project, [...flags])).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
    }
  });
});

describe("a switch", () => {
  test.each([
    ["memory", "sqlite", "Sessions end with the app's process: users have to sign in again.\n"],
    ["sqlite", "memory", "Sessions stay in the old store: users have to sign in again.\n"],
    [
      "sqlite",
      "redis",
      "Sessions stay in the old store: users have to sign in again. With --keep-store they can be copied.\n",
    ],
  ])(
    "L5 L6: from %s to %s says what becomes of the sessions, and names no copy that is refused",
    async (from, to, note) => {
      const project = copyOf(await generated("express", from));
      const { code, stderr } = await switchTo(project, ["-b", to]);
      expect(code, stderr).toBe(0);
      expect(stderr).toContain(note);
    },
  );

  test("L3 L5: shows as conflicts what the user has changed in what is replaced, and can be finished by update", async () => {
    const project = await version.create(["-f", "express", "-b", "redis"]);
    project.edit("src/store/driver.ts", (text) => `// Mine, above.\n${text}// Mine, below.\n`);
    project.commit();
    const { code, stderr } = await switchTo(project, ["-b", "postgres"]);
    expect(code).toBe(1);
    expect(stderr).toContain("1 file has conflicts:\n  src/store/driver.ts\n");
    const merged = project.read("src/store/driver.ts");
    for (const line of ["// Mine, above.", "// Mine, below.", "<<<<<<< yours"]) expect(merged).toContain(`${line}\n`);
    expect(project.record).toMatchObject({ answers: { backend: "redis" }, pending: { version: "0.4.0" } });
    expect(await switchTo(project, ["-b", "sqlite"])).toMatchObject({
      code: 1,
      stderr:
        "The switch left conflicts. Settle them first, then: npm create session-app@latest update -- --continue\n",
    });
    const doctor = await version.run(["doctor"], project.root);
    expect(doctor.stdout).toContain("The switch is not finished. Its conflicts were in");
    project.edit("src/store/driver.ts", (text) => text.replace(/^<<<<<<<[\s\S]*?^=======\n|^>>>>>>>.*\n/gm, ""));
    const done = await version.run(["update", "--continue", "--no-install"], project.root);
    expect(done.code, done.stderr).toBe(0);
    expect(done.stdout).toContain("Finished the switch.");
    expect(project.record).toMatchObject({ answers: { backend: "postgres" } });
  });

  test("L5: says what the user has to know, in words and as JSON; --check, --dry-run and --diff write nothing", async () => {
    const project = await version.create(["-f", "express", "-b", "sqlite"]);
    const before = snapshot(project.root);
    expect(await switchTo(project, ["-b", "redis", "--check"])).toMatchObject({ code: 1 });
    expect((await switchTo(project, ["-b", "redis", "--diff"])).stdout).toMatch(/^--- a\/src\/store\/driver\.ts$/m);
    const dry = await switchTo(project, ["-b", "redis", "--dry-run", "--json"]);
    expect(JSON.parse(dry.stdout)).toMatchObject({ ok: true, conflicts: [] });
    expect(snapshot(project.root)).toEqual(before);
    const { code, stdout, stderr } = await switchTo(project, ["-b", "redis"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Switched "app" to Express with Redis[^\n]*\.\n/);
    expect(stderr).toContain("Sessions stay in the old store");
    expect((await switchTo(project, ["-b", "redis", "--force"])).stdout).toBe(
      '✔ "app" has Express with Redis, Valkey already.\n',
    );
  });

  test("C8 L5: without a pack, with an unknown one, or of another version, it says what would be right", async () => {
    const project = await version.create(["-f", "express", "-b", "sqlite"]);
    expect(await switchTo(project, [])).toMatchObject({ code: 2, stderr: expect.stringContaining("--backend ID") });
    expect(await switchTo(project, ["-b", "posgres"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("postgres"),
    });
    const next = new Version("0.5.0", version);
    const { code, stderr } = await next.run(["switch", "-b", "redis"], project.root);
    expect([code, stderr]).toEqual([1, expect.stringContaining("First: npm create session-app@latest update")]);
  });
});
