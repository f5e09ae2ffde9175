// `doctor`, on projects that lack fixes, have unsafe settings or were edited; and the file of security fixes itself.
// Change it when doctor looks at something else.
import { cpSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { SecurityFix } from "../../create-session-app/src/project/security-fixes.ts";
import { packs } from "../../scripts/packs.ts";
import { repository, temporaryFolder } from "./sandbox.ts";
import { snapshot } from "./tree.ts";
import { append, hasCommit, Project, Version } from "./versions.ts";

const fixes: SecurityFix[] = JSON.parse(readFileSync(join(repository, "docs/security-fixes.json"), "utf8"));
const EXPRESS = ["-f", "express", "-b", "redis"];

let version: Version;

beforeAll(() => {
  version = new Version("0.4.0");
});

async function doctor(project: Project, parameters: string[] = []) {
  const { code, stdout, stderr } = await version.run(["doctor", ...parameters], project.root);
  return { code, stdout, stderr };
}

describe("a sound project", () => {
  test("L8: has nothing to do; edits and deletions are listed, and are no fault; nothing is written", async () => {
    const project = await version.create(EXPRESS);
    project.edit("src/main.ts", append("// Mine.\n"));
    project.edit("README.md", (text) => text.replaceAll("\n", "\r\n"));
    project.remove("Dockerfile");
    const before = snapshot(project.root);
    const { code, stdout, stderr } = await doctor(project);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('"app" was made by version 0.4.0, which is this one.');
    expect(stdout).toContain("\nYou have edited:\n  src/main.ts\n");
    expect(stdout).toContain("\nYou have deleted:\n  Dockerfile\n");
    expect(stdout).toContain("Nothing has to be done.");
    expect(snapshot(project.root)).toEqual(before);
  });

  test("L8: dependencies that are older than in this version, or missing, are listed", async () => {
    const project = await version.create(EXPRESS);
    project.edit("package.json", (text) => text.replace(/"express": "[^"]*"/, '"express": "^4.21.0"'));
    project.edit("package.json", (text) => text.replace(/"cookie": "[^"]*",?\s*/, ""));
    const { stdout } = await doctor(project, ["--json"]);
    const express = JSON.parse(version.read("templates/frameworks/express/package.json")).dependencies.express;
    const { dependencies } = JSON.parse(stdout);
    expect(dependencies).toContainEqual({ name: "express", yours: "^4.21.0", ours: express });
    expect(dependencies.map(({ name }: { name: string }) => name).sort()).toEqual(["cookie", "express"]);
  });
});

describe("what is installed", () => {
  /** As a package manager leaves it. */
  function put(project: Project, folder: string, version: string): void {
    project.write(`node_modules/${folder}/package.json`, JSON.stringify({ version }));
  }

  async function installed(): Promise<Project> {
    const project = await version.create(EXPRESS, { git: false });
    const { dependencies, devDependencies } = JSON.parse(project.read("package.json"));
    for (const [name, range] of Object.entries<string>({ ...dependencies, ...devDependencies })) {
      put(project, name, range.replace("^", ""));
    }
    return project;
  }

  test("L8: where nothing is installed, it says that it has not looked there", async () => {
    const project = await version.create(EXPRESS, { git: false });
    const { code, stdout } = await doctor(project);
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining("installed packages were not checked. To install: npm install\n"),
    ]);
    expect(JSON.parse((await doctor(project, ["--json"])).stdout)).toMatchObject({ isInstalled: false, installed: [] });
  });

  test("L8: nothing is said while it is as package.json asks", async () => {
    const { code, stdout } = await doctor(await installed());
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/node_modules|not checked/);
  });

  test("L8: what is missing or older than package.json asks for has to be installed", async () => {
    const project = await installed();
    project.remove("node_modules/helmet");
    put(project, "express", "4.21.2");
    const { code, stdout, stderr } = await doctor(project);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /In node_modules, older than in package\.json or missing:\n {2}express: 4\.21\.2, package\.json has \^5/,
    );
    expect(stdout).toMatch(/\n {2}helmet: missing, package\.json has/);
    expect(stderr).toBe("Not all that package.json asks for is installed: npm install\n");
    const document = JSON.parse((await doctor(project, ["--json"])).stdout);
    expect(document.installed).toContainEqual({ name: "express", range: expect.any(String), version: "4.21.2" });
  });

  test("L8: several copies of the framework are listed, those of pnpm too", async () => {
    const project = await installed();
    put(project, "some-router/node_modules/express", "4.21.2");
    put(project, ".pnpm/express@4.20.0/node_modules/express", "4.20.0");
    const { code, stdout } = await doctor(project);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /"express" is installed several times[^\n]*:\n {2}5\.[^\n]*\n {2}4\.21\.2 in [^\n]*\n {2}4\.20\.0 in /,
    );
  });

  test("L8: a folder above counts as well, and one that has nothing of the project's says nothing", async () => {
    const outer = new Project(temporaryFolder());
    const project = new Project(join(outer.root, "apps/app"));
    cpSync((await version.create(EXPRESS, { git: false })).root, project.root, { recursive: true });
    put(outer, "something-else", "1.0.0");
    expect(await doctor(project)).toMatchObject({ code: 0 });
    put(outer, "express", "4.21.2");
    expect((await doctor(project)).stdout).toContain("\n  express: 4.21.2, package.json has ");
  });

  test("C8 L8: a package.json that is no JSON is said to be that", async () => {
    const project = await installed();
    project.write("package.json", "{");
    expect(await doctor(project)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^package\.json is not JSON: /),
    });
  });
});

describe("settings", () => {
  test.each([
    [".env.production", "SESSION_COOKIE_SECURE=false", "SESSION_COOKIE_SECURE"],
    [
      ".env.production",
      'SESSION_ALLOWED_ORIGINS="https://a.example, http://b.example" # both',
      "SESSION_ALLOWED_ORIGINS",
    ],
    [".env.production", "export SESSION_TRUST_PROXY=0.0.0.0/0", "SESSION_TRUST_PROXY"],
    [".env.production.local", "SESSION_LIFETIME=0", "SESSION_LIFETIME"],
    [".env", "NODE_ENV=production\nSESSION_COOKIE_SAME_SITE=none", "SESSION_COOKIE_SAME_SITE"],
    ["Dockerfile", "ENV SESSION_COOKIE_HTTP_ONLY=false", "SESSION_COOKIE_HTTP_ONLY"],
  ])("L8: that are unsafe in production have to be changed: in %s, %s", async (file, line, name) => {
    const project = await version.create(EXPRESS, { git: false });
    project.write(file, `# Mine.\n${line}\n`);
    const { code, stderr } = await doctor(project);
    expect([code, stderr]).toEqual([1, `Unsafe in production: ${name} in ${file}.\n`]);
  });

  test("L8: a default that was changed in the code counts as well", async () => {
    const project = await version.create(EXPRESS, { git: false });
    project.edit("src/config.ts", (text) =>
      text.replace('"SESSION_COOKIE_HTTP_ONLY", true', '"SESSION_COOKIE_HTTP_ONLY", false'),
    );
    expect((await doctor(project)).stderr).toBe("Unsafe in production: SESSION_COOKIE_HTTP_ONLY in src/config.ts.\n");
  });

  test("L8: such a default is found where the user has moved the file to", async () => {
    const project = await version.create(EXPRESS, { git: false });
    project.write(
      "src/settings/config.ts",
      project.read("src/config.ts").replace('"SESSION_COOKIE_HTTP_ONLY", true', '"SESSION_COOKIE_HTTP_ONLY", false'),
    );
    project.remove("src/config.ts");
    project.edit(".session-app.json", (text) =>
      JSON.stringify({ ...JSON.parse(text), moved: { "src/config.ts": "src/settings/config.ts" } }),
    );
    expect((await doctor(project)).stderr).toBe(
      "Unsafe in production: SESSION_COOKIE_HTTP_ONLY in src/settings/config.ts.\n",
    );
  });

  test("L8: what is safe, commented out, or only for development is no finding", async () => {
    const project = await version.create(EXPRESS, { git: false });
    project.write(".env", "SESSION_COOKIE_SECURE=false\n");
    project.write(
      ".env.production",
      "#SESSION_COOKIE_SECURE=false\nSESSION_LIFETIME=3600\nSESSION_ALLOWED_ORIGINS=http://localhost:5173\n",
    );
    expect(await doctor(project)).toMatchObject({ code: 0 });
  });
});

describe("security fixes", () => {
  test("L8: each has all that a user has to know, and an id of its own", () => {
    expect(new Set(fixes.map(({ id }) => id)).size).toBe(fixes.length);
    for (const fix of fixes) {
      expect(fix).toEqual({
        id: expect.stringMatching(/^CSA-\d{4}-\d{3}$/),
        title: expect.stringMatching(/^.{20,}$/),
        fixes: expect.stringMatching(/^.{40,}\.$/),
        since: expect.stringMatching(/^\d+\.\d+\.\d+$/),
        packs: expect.arrayContaining([expect.stringMatching(/^(runtime|base|(backends|frameworks)\/[a-z]+)$/)]),
        signs: expect.arrayContaining([{ files: expect.any(Array), pattern: expect.any(String) }]),
      });
    }
  });

  test("L8: what this version generates shows no sign of a missing one", () => {
    const roots = ["runtime", "templates/base/files"];
    for (const kind of ["backends", "frameworks"] as const) {
      roots.push(...packs(kind).map((id) => `templates/${kind}/${id}/files`));
    }
    for (const { id, signs } of fixes) {
      for (const { files, pattern } of signs) {
        for (const path of roots.flatMap((root) => files.map((file) => join(repository, root, file)))) {
          const text = existsSync(path) ? readFileSync(path, "utf8") : "";
          expect(new RegExp(pattern).test(text), `${id} in ${path}`).toBe(false);
        }
      }
    }
  });

  const OLD = "d9ce326";

  describe.skipIf(!hasCommit(OLD))(`in a project made at ${OLD}`, () => {
    let old: Version;

    beforeAll(() => {
      old = Version.ofCommit(OLD, "0.0.1");
    });

    test.each([
      ["fastify", "postgres", ["CSA-2026-001", "CSA-2026-002", "CSA-2026-003"]],
      ["express", "postgres", ["CSA-2026-001", "CSA-2026-002"]],
      ["hono", "sqlite", ["CSA-2026-002"]],
    ])("L8: those that it lacks are reported, with what to do: %s, %s", async (framework, backend, expected) => {
      const project = await old.create(["-f", framework, "-b", backend, "--pm", "npm"], { git: false });
      const { code, stdout, stderr } = await doctor(project, ["--json"]);
      expect(code).toBe(1);
      expect(JSON.parse(stdout).fixes.map(({ id }: SecurityFix) => id)).toEqual(expected);
      expect(stderr).toContain("not taken: npm create session-app@latest update");
      expect((await doctor(project)).stdout).toContain(expected[0]);
    });
  });
});
