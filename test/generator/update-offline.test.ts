// `update` after `update`, without a network: what was generated is in the project's own record by then, whatever its history holds.
// Change it when the base of a merge is kept elsewhere.
import { execFileSync } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { programs, temporaryFolder } from "./sandbox.ts";
import { snapshot } from "./tree.ts";
import { append, Project, Version } from "./versions.ts";

const OFFLINE = programs({ npm: "echo no network; exit 1" });

const versions: Version[] = [];

beforeAll(() => {
  let before: Version | undefined;
  for (const number of ["0.3.0", "0.4.0", "0.5.0", "0.6.0"]) {
    const version = new Version(number, before);
    if (before !== undefined) {
      version.edit("templates/base/files/src/config.ts", (text) => `// New in ${number}.\n${text}`);
      for (const id of ["express", "koa"]) {
        version.edit(`templates/frameworks/${id}/files/src/main.ts`, append(`// New in ${number}.\n`));
      }
    }
    versions.push(version);
    before = version;
  }
});

async function update(project: Project, version: Version, parameters: string[] = []) {
  const { code, stderr } = await version.run(["update", "--no-install", ...parameters], project.root, OFFLINE);
  return { code, stderr };
}

/** Edits two files that each version changes too. */
function work(project: Project): void {
  project.edit("src/config.ts", append("// Mine.\n"));
  project.edit("src/main.ts", (text) => `// Mine.\n${text}`);
}

function expectAllIn(project: Project, numbers: string[]): void {
  const config = numbers.toReversed().map((number) => `// New in ${number}.\n`);
  expect(project.read("src/config.ts").startsWith(config.join(""))).toBe(true);
  expect(project.read("src/config.ts")).toMatch(/\/\/ Mine\.\n$/);
  expect(project.read("src/main.ts")).toMatch(/^\/\/ Mine\.\n/);
  for (const number of numbers) expect(project.read("src/main.ts")).toContain(`// New in ${number}.\n`);
}

describe("one update after another, offline", () => {
  test("L1: a file that an earlier update has merged is merged again, from a repository that never had its base", async () => {
    const [first, second, third, fourth] = versions as [Version, Version, Version, Version];
    const project = await first.create(["-f", "express", "-b", "redis"]);
    work(project);
    project.commit();
    for (const version of [second, third, fourth]) {
      expect(await update(project, version)).toMatchObject({ code: 0 });
      project.commit();
    }
    expectAllIn(project, ["0.4.0", "0.5.0", "0.6.0"]);
  });

  test("L1: without git the first update needs --base, and those after it nothing", async () => {
    const [first, second, third] = versions as [Version, Version, Version];
    const project = await first.create(["-f", "express", "-b", "redis"], { git: false });
    const generated = join(temporaryFolder(), "generated");
    cpSync(project.root, generated, { recursive: true });
    work(project);
    expect(await update(project, second)).toMatchObject({ code: 1, stderr: expect.stringContaining("--base DIR") });
    expect((await update(project, second, ["--base", generated])).code).toBe(0);
    const { code, stderr } = await update(project, third);
    expect(code, stderr).toBe(0);
    expectAllIn(project, ["0.4.0", "0.5.0"]);
  });

  test("L1: a clone without history has it too, and a file whose conflicts were settled", async () => {
    const [first, second, third] = versions as [Version, Version, Version];
    const project = await first.create(["-f", "express", "-b", "redis"]);
    project.edit("src/main.ts", append("// Mine.\n"));
    project.commit();
    expect((await update(project, second)).code).toBe(1);
    project.edit("src/main.ts", (text) => `// Mine.\n${text.replace(/^<<<<<<<[\s\S]*?^=======\n|^>>>>>>>.*\n/gm, "")}`);
    expect(await update(project, second, ["--continue"])).toMatchObject({ code: 0 });
    project.commit();
    const clone = new Project(join(temporaryFolder(), "clone"));
    execFileSync("git", ["clone", "--quiet", "--depth=1", `file://${project.root}`, clone.root]);
    const { code, stderr } = await update(clone, third);
    expect(code, stderr).toBe(0);
    expect(clone.read("src/main.ts")).toMatch(/^\/\/ Mine\.\n[\s\S]*0\.4\.0\.\n\/\/ New in 0\.5\.0\.\n$/);
  });
});

test.each(["-f express -b redis", "-f koa -b mysql --minimal"])(
  "L2: one by one, with work in between, or in one leap, a project comes out with the same bytes: %s",
  async (choice) => {
    const [first, second, third, fourth] = versions as [Version, Version, Version, Version];
    const edits: ((project: Project) => void)[] = [
      (project) => project.edit("src/config.ts", append("// Mine.\n")),
      (project) => {
        project.edit("src/main.ts", (text) => `// Mine.\n${text}`);
        project.edit("package.json", (text) => text.replace('"scripts": {', '"scripts": {\n    "mine": "true",'));
        project.remove("Dockerfile");
      },
      (project) => {
        project.edit("src/config.ts", (text) =>
          text.replace('"SESSION_MAX_PER_USER", 0,', '"SESSION_MAX_PER_USER", 5,'),
        );
        project.edit("src/main.ts", (text) => text.replace("// Mine.\n", "// Mine, once more.\n"));
        project.git("mv", "src/routes.ts", "src/my-routes.ts");
        project.edit("src/main.ts", (text) => text.replace("./routes.ts", "./my-routes.ts"));
      },
    ];
    const step = await first.create(choice.split(" "));
    const leap = new Project(join(temporaryFolder(), "app"));
    cpSync(step.root, leap.root, { recursive: true });
    for (const [index, version] of [second, third, fourth].entries()) {
      edits[index]?.(step);
      step.commit();
      const { code, stderr } = await update(step, version);
      expect(code, stderr).toBe(0);
      step.commit();
      edits[index]?.(leap);
      leap.commit();
    }
    const { code, stderr } = await update(leap, fourth);
    expect(code, stderr).toBe(0);
    const files = (project: Project) =>
      Object.fromEntries(Object.entries(snapshot(project.root)).filter(([path]) => !path.startsWith(".git/")));
    expect(files(step)).toEqual(files(leap));
    expect(step.record.moved).toEqual({ "src/routes.ts": "src/my-routes.ts" });
  },
);

describe("the record after an update", () => {
  test("L1: holds what was generated for the files that the user has edited, and for no others", async () => {
    const [first, second] = versions as [Version, Version];
    const project = await first.create(["-f", "express", "-b", "redis"]);
    expect(project.record).not.toHaveProperty("generated");
    work(project);
    project.commit();
    await update(project, second);
    const pristine = await second.create(["-f", "express", "-b", "redis"], { git: false });
    const generated = project.record.generated as Record<string, string[]>;
    expect(Object.keys(generated)).toEqual(["src/config.ts", "src/main.ts"]);
    for (const [path, lines] of Object.entries(generated)) expect(lines.join("\n")).toBe(pristine.read(path));
  });

  test("L1: a text in it that is not what was generated is not used", async () => {
    const [first, second, third] = versions as [Version, Version, Version];
    const project = await first.create(["-f", "express", "-b", "redis"]);
    work(project);
    project.commit();
    await update(project, second);
    project.edit(".session-app.json", (text) => text.replace('"// New in 0.4.0.",', '"// Something else.",'));
    project.commit();
    expect(await update(project, third)).toMatchObject({ code: 1, stderr: expect.stringContaining("--base DIR") });
    const damaged = { ...project.record, generated: { "src/config.ts": "// Something else.\n" } };
    project.write(".session-app.json", JSON.stringify(damaged));
    project.commit();
    const { code, stderr } = await update(project, third);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('what was generated at "src/config.ts" can\'t be read'),
    ]);
  });
});
