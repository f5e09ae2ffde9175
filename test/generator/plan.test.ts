// The plan: what goes into a project, and what can't go together. All in memory.
// Change it when a project gets a file that no pack holds.
import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import type { Assets } from "../../create-session-app/src/packs/assets.ts";
import { planProject } from "../../create-session-app/src/project/plan.ts";
import { choice, fixtures, manifest, pack, plan, text } from "./plans.ts";

/** The fixtures with one more file in a pack. */
function withFile(path: string, catalog = fixtures.catalog): Assets {
  const [base, ...others] = catalog.common;
  if (base === undefined) throw new Error("no base");
  const more = { path, source: "templates/base/files/public/style.css", template: false };
  const listFiles = () => [...base.listFiles(), more];
  return { ...fixtures, catalog: { ...catalog, common: [{ ...base, listFiles }, ...others] } };
}

describe("files", () => {
  test("P5: base, runtime, framework and backend come together, in the order of their names", async () => {
    expect([...(await plan()).keys()]).toEqual([
      ".env.example",
      ".gitattributes",
      ".gitignore",
      ".session-app.json",
      "Dockerfile",
      "README.md",
      "package.json",
      "public/icon.png",
      "public/style.css",
      "src/authenticate.ts",
      "src/config.ts",
      "src/example/handlers.ts",
      "src/example/page.ts",
      "src/main.ts",
      "src/session/adapter.ts",
      "src/session/sessions.ts",
      "src/store/driver.ts",
      "test/example/page.ts",
      "test/sessions.ts",
    ]);
  });

  test("C12: code and pictures are copied byte for byte, and only .hbs files are rendered", async () => {
    const files = await plan();
    expect(files.get("public/icon.png")?.content).toEqual(fixtures.read("templates/base/files/public/icon.png"));
    expect(text(files, "src/config.ts")).toContain("{{ not a template }}");
  });

  test("C12: templates are rendered without HTML escapes, for the answers given", async () => {
    const files = await plan({ backend: pack(fixtures.catalog.backends, "served"), packageManager: "pnpm" });
    const readme = text(files, "README.md");
    expect(readme).toContain("# my-app\n\nAlpha with Served");
    expect(readme).toContain('"quotes" & <angles>');
    expect(readme).toContain("    pnpm install\n    pnpm dev\n    pnpm test\n");
    expect(readme).toContain("It needs Served 14 or newer: `docker compose up -d --wait`");
    expect(readme).toContain("Settings of Served: `SERVED_URL`.");
    expect(text(await plan(), ".env.example")).toContain("# The file.\n# PLAIN_FILE=./data/plain.db\n");
    expect(text(await plan(), ".env.example")).toContain("\n# PLAIN_CACHE=10\n");
  });

  test("C12: a template that names something unknown fails instead of leaving a hole", async () => {
    const { catalog, read } = fixtures;
    const { renderer } = await import("../../create-session-app/src/packs/render.ts");
    const render = renderer(() => Buffer.from("{{ misspelt }}"));
    expect(() => planProject(choice(catalog), { catalog, read, render })).toThrow(/misspelt/);
  });

  test("C12: two suppliers of one path are an error, also when only capitals differ", async () => {
    await expect(plan({}, withFile("src/main.ts"))).rejects.toThrow(
      "src/main.ts is supplied by base and by frameworks/alpha",
    );
    await expect(plan({}, withFile("SRC/Main.ts"))).rejects.toThrow("supplied by base and by frameworks/alpha");
    await expect(plan({}, withFile("package.json"))).rejects.toThrow("package.json is supplied by");
    await expect(plan({}, withFile("src/session"))).rejects.toThrow("src/session is a file in base and a folder in");
  });

  test("L1: the record holds its format, the version, the answers, and of each file but itself its pack and the id that git gives it", async () => {
    const files = await plan({ backend: pack(fixtures.catalog.backends, "served"), packageManager: "pnpm" });
    const record = JSON.parse(text(files, ".session-app.json"));
    expect(record).toMatchObject({ format: 1, version: fixtures.catalog.version });
    expect(record.answers).toEqual({
      name: "my-app",
      framework: "alpha",
      backend: "served",
      packageManager: "pnpm",
      minimal: false,
      nodePinned: false,
      workspaceMember: false,
    });
    expect(Object.keys(record.files)).toEqual([...files.keys()].filter((path) => path !== ".session-app.json"));
    const packs = Object.entries<{ pack: string }>(record.files).map(([path, file]) => [path, file.pack]);
    expect(Object.fromEntries(packs)).toMatchObject({
      "README.md": "base",
      "compose.yaml": "backends/served",
      "package.json": "project",
      "pnpm-workspace.yaml": "project",
      "src/main.ts": "frameworks/alpha",
      "src/session/adapter.ts": "frameworks/alpha",
      "src/session/sessions.ts": "runtime",
      "src/store/driver.ts": "backends/served",
    });
    for (const [path, { blob }] of Object.entries<{ blob: string }>(record.files)) {
      const input = files.get(path)?.content;
      const id = execFileSync("git", ["hash-object", "--stdin", "--no-filters"], { input, encoding: "utf8" });
      expect(blob, path).toBe(id.trim());
    }
  });
});

describe("--minimal", () => {
  const beta = () => pack(fixtures.catalog.frameworks, "beta");

  test("C13: its files are those of the full project without the example", async () => {
    const full = [...(await plan()).keys()];
    const minimal = [...(await plan({ minimal: true })).keys()];
    expect(full.filter((path) => !minimal.includes(path))).toEqual([
      "public/icon.png",
      "public/style.css",
      "src/authenticate.ts",
      "src/example/handlers.ts",
      "src/example/page.ts",
      "test/example/page.ts",
    ]);
    expect(minimal.filter((path) => !full.includes(path))).toEqual([]);
  });

  test("C13: src/main.ts lacks the one line that names the example, and no other", async () => {
    const full = text(await plan(), "src/main.ts").split("\n");
    const minimal = text(await plan({ minimal: true }), "src/main.ts").split("\n");
    expect(full.filter((line) => !minimal.includes(line))).toEqual([
      expect.stringContaining('"./example/handlers.ts"'),
    ]);
    expect(minimal).toEqual(full.filter((line) => !line.includes("./example/")));
  });

  test("C13: a src/main.ts that names the example in no line, or in two, is an error", async () => {
    for (const main of ["", 'import "./example/a.ts";\nimport "./example/b.ts";\n']) {
      const read = (source: string) => (source.endsWith("main.ts") ? Buffer.from(main) : fixtures.read(source));
      await expect(plan({ minimal: true }, { ...fixtures, read })).rejects.toThrow(/src\/main.ts of frameworks\/alpha/);
      await expect(plan({}, { ...fixtures, read })).resolves.toBeDefined();
    }
  });

  test("C13: package.json is the same without the dependencies of the example", async () => {
    const full = manifest(await plan({ framework: beta() }));
    const minimal = manifest(await plan({ framework: beta(), minimal: true }));
    expect(Object.keys(full.dependencies ?? {})).toEqual(["beta", "beta-static", "cookie"]);
    expect(minimal).toEqual({ ...full, dependencies: { beta: "^1.0.0", cookie: "^2.0.2" } });
  });

  test("C13: the templates know of it, and the record says so", async () => {
    const files = await plan({ minimal: true });
    expect(text(files, "README.md")).toContain("There is no example in it.");
    expect(JSON.parse(text(files, ".session-app.json")).answers.minimal).toBe(true);
    expect(text(await plan(), "README.md")).not.toContain("There is no example in it.");
  });
});
