// The plan: what goes into a project, and what can't go together. All in memory.
// Change it when a project gets a file that no pack holds.
import { pathToFileURL } from "node:url";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Assets } from "../../create-session-app/src/assets.ts";
import { openAssets } from "../../create-session-app/src/assets.ts";
import type { Catalog, Layer, Pack } from "../../create-session-app/src/catalog.ts";
import { crc32 as ownCrc32 } from "../../create-session-app/src/checksum.ts";
import { formatManifest, mergeManifests } from "../../create-session-app/src/merge.ts";
import type { Choice, Plan } from "../../create-session-app/src/plan.ts";
import { planProject } from "../../create-session-app/src/plan.ts";
import { packs } from "../../scripts/packs.ts";
import { cloneWithFixtures, repository } from "./sandbox.ts";

const fixtures = openAssets(pathToFileURL(`${cloneWithFixtures()}/`));

function pack(packs: readonly Pack[], id: string): Pack {
  const found = packs.find((candidate) => candidate.id === id);
  if (found === undefined) throw new Error(`no pack ${id}`);
  return found;
}

function choice(catalog: Catalog, changes: Partial<Choice> = {}): Choice {
  const [framework] = catalog.frameworks;
  const [backend] = catalog.backends;
  if (framework === undefined || backend === undefined) throw new Error("there are no packs");
  return { name: "my-app", framework, backend, packageManager: "npm", nodePinned: false, ...changes };
}

async function plan(changes: Partial<Choice> = {}, assets: Assets = fixtures): Promise<Plan> {
  const { catalog, read } = assets;
  return planProject(choice(catalog, changes), { catalog, read, render: await assets.loadRenderer() });
}

/** The fixtures with one more file in a pack. */
function withFile(path: string, catalog = fixtures.catalog): Assets {
  const [base, ...others] = catalog.common;
  if (base === undefined) throw new Error("no base");
  const files = [...base.files, { path, source: "templates/base/files/public/style.css", template: false }];
  return { ...fixtures, catalog: { ...catalog, common: [{ ...base, files }, ...others] } };
}

function text(files: Plan, path: string): string {
  return new TextDecoder().decode(files.get(path)?.content);
}

function manifest(files: Plan): Record<string, Record<string, unknown>> {
  return JSON.parse(text(files, "package.json"));
}

describe("files", () => {
  test("P5: base, runtime, framework and backend come together, in the order of their names", async () => {
    expect([...(await plan()).keys()]).toEqual([
      ".env.example",
      ".gitignore",
      ".session-app.json",
      "README.md",
      "package.json",
      "public/icon.png",
      "public/style.css",
      "src/config.ts",
      "src/main.ts",
      "src/session/adapter.ts",
      "src/session/sessions.ts",
      "src/store/driver.ts",
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
    const { default: handlebars } = await import("handlebars");
    const { RENDERING } = await import("../../create-session-app/src/assets.ts");
    const render = (_: string, context: object) => handlebars.compile("{{ misspelt }}", RENDERING)(context);
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

  test("C12: the record holds the answers, the version and every file's checksum, its own excepted", async () => {
    const files = await plan();
    const record = JSON.parse(text(files, ".session-app.json"));
    expect(record.version).toBe(fixtures.catalog.version);
    expect(record.answers).toEqual({
      name: "my-app",
      framework: "alpha",
      backend: "plain",
      packageManager: "npm",
      nodePinned: false,
    });
    expect(Object.keys(record.files)).toEqual([...files.keys()].filter((path) => path !== ".session-app.json"));
    for (const [path, recorded] of Object.entries(record.files)) {
      const content = files.get(path)?.content ?? new Uint8Array();
      expect(`${crc32(content).toString(16).padStart(8, "0")}-${content.length.toString(16)}`, path).toBe(recorded);
    }
  });

  test("C12: the checksum is the same where Node has no CRC-32 of its own", () => {
    expect(ownCrc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(ownCrc32(bytes)).toBe(crc32(bytes));
      }),
    );
  });
});

describe("package.json", () => {
  test("P2: dependencies of all parts are together and sorted; a pack's own name and licence stay behind", async () => {
    const merged = manifest(await plan({ backend: pack(fixtures.catalog.backends, "served") }));
    expect(Object.keys(merged.dependencies ?? {})).toEqual(["alpha", "cookie", "served-driver"]);
    expect(merged).toMatchObject({ name: "my-app", version: "0.0.0", private: true, type: "module" });
    expect(merged).toMatchObject({ engines: { node: ">=22.18" }, scripts: { dev: "node src/main.ts" } });
    expect(merged).not.toHaveProperty("license");
    expect(merged).not.toHaveProperty("sessionApp");
  });

  test("C11: an older Node brings a current one as a dev dependency, and says so in the README", async () => {
    const files = await plan({ nodePinned: true });
    expect(manifest(files).devDependencies).toMatchObject({ node: fixtures.catalog.pinnedNode });
    expect(manifest(files).allowScripts).toEqual({ node: true });
    expect(text(files, "README.md")).toContain("Node comes with the dependencies.");
    expect(manifest(await plan()).devDependencies).not.toHaveProperty("node");
  });

  test("C10: each package manager is told in its own way which install scripts may run", async () => {
    const backend = pack(fixtures.catalog.backends, "served");
    expect(manifest(await plan({ backend })).allowScripts).toEqual({ "quiet-driver": false, "served-driver": true });
    const pnpm = await plan({ backend, packageManager: "pnpm" });
    expect(text(pnpm, "pnpm-workspace.yaml")).toContain("  quiet-driver: false\n  served-driver: true\n");
    expect(text(pnpm, "pnpm-workspace.yaml")).toMatch(/\nonlyBuiltDependencies:\n {2}- served-driver\n$/);
    const yarn = await plan({ backend, packageManager: "yarn" });
    expect(manifest(yarn).dependenciesMeta).toEqual({
      "quiet-driver": { built: false },
      "served-driver": { built: true },
    });
    const bun = await plan({ backend, packageManager: "bun" });
    expect(manifest(bun).trustedDependencies).toEqual(["served-driver"]);
    for (const files of [pnpm, yarn, bun]) expect(manifest(files)).not.toHaveProperty("allowScripts");
  });

  const layer = (origin: string, content: Record<string, unknown>): Layer => ({ origin, manifest: content, files: [] });

  test("C12: packs that disagree are an error that names both", () => {
    const one = layer("one", { dependencies: { shared: "^1.0.0" } });
    expect(() => mergeManifests("app", [one, layer("two", { dependencies: { shared: "^2.0.0" } })])).toThrow(
      'package.json: dependencies > shared is "^1.0.0" in one and "^2.0.0" in two.',
    );
    expect(mergeManifests("app", [one, layer("two", one.manifest)]).dependencies).toEqual({ shared: "^1.0.0" });
    expect(() => mergeManifests("app", [one, layer("two", { dependencies: "none" })])).toThrow("dependencies is");
    expect(() => mergeManifests("app", [one, layer("two", { devDependencies: { shared: "^1.0.0" } })])).toThrow(
      "shared is in dependencies and in devDependencies",
    );
  });

  test("C12: merging depends neither on the order of keys nor on their names", () => {
    const names = fc.constantFrom("a", "b", "c", "__proto__", "constructor", "@scope/x");
    const dependencies = fc.dictionary(names, fc.constant("^1.0.0"));
    fc.assert(
      fc.property(dependencies, dependencies, (first, second) => {
        const layers = [layer("one", { dependencies: first }), layer("two", { dependencies: second })];
        const there = formatManifest(mergeManifests("app", layers));
        const back = formatManifest(mergeManifests("app", layers.toReversed()));
        expect(back).toBe(there);
        expect(Object.keys(JSON.parse(there).dependencies ?? {}).sort()).toEqual(
          [...new Set([...Object.keys(first), ...Object.keys(second)])].sort(),
        );
      }),
    );
  });
});

describe("the packs of this repository", () => {
  const assets = openAssets(pathToFileURL(`${repository}/`));
  const frameworks = assets.catalog.frameworks.filter(({ id }) => packs("frameworks").includes(id));
  const backends = assets.catalog.backends.filter(({ id }) => packs("backends").includes(id));

  test("C1: there are packs, with one default of each kind", () => {
    expect(frameworks.filter(({ isDefault }) => isDefault).map(({ id }) => id)).toEqual(["express"]);
    expect(backends.filter(({ isDefault }) => isDefault).map(({ id }) => id)).toEqual(["sqlite"]);
  });

  test("C1: every folder that holds a driver or the wiring of a framework is offered", () => {
    expect(frameworks.map(({ id }) => id).sort()).toEqual(packs("frameworks"));
    expect(backends.map(({ id }) => id).sort()).toEqual(packs("backends"));
  });

  test.each([
    ["npm", "npm run sessions -- setup"],
    ["pnpm", "pnpm sessions setup"],
    ["yarn", "yarn sessions setup"],
    ["bun", "bun run sessions setup"],
  ] as const)(
    "P9: the README of a project of %s says %s, in the backend's part too",
    async (packageManager, command) => {
      for (const backend of backends) {
        const readme = text(await plan({ backend, packageManager }, assets), "README.md");
        expect(readme.split(command).length - 1, backend.id).toBeGreaterThan(
          backend.section.split("-- setup").length - 1,
        );
        if (packageManager !== "npm") expect(readme, backend.id).not.toMatch(/(?<!p)npm (run|test|exec)|sessions -- /);
      }
    },
  );

  test.each([
    ["app", "app"],
    ["@me/shop.eu_2", "me-shop-eu-2"],
  ])("P9: Docker takes the names in a project that is called %s", async (name, slug) => {
    for (const backend of backends.filter(({ server }) => server !== null)) {
      const files = await plan({ backend, name }, assets);
      expect(text(files, "compose.yaml"), backend.id).toMatch(new RegExp(`^name: ${slug}$`, "m"));
      expect(text(files, "README.md")).toMatch(/docker build -t [a-z]+ \./);
    }
  });

  test("P9: what ends up in the image was made readable first, since a clone's files may be the owner's alone", async () => {
    const stages = text(await plan({}, assets), "Dockerfile").split(/^(?=FROM )/m);
    const copied = stages.at(-1)?.match(/^COPY .*/gm) ?? [];
    for (const line of copied) expect(line).toContain("--from=");
    const readable = stages.find((stage) => /^COPY \. \.\n(#.*\n)*RUN chmod -R a\+rX \.$/m.test(stage)) ?? "";
    expect(copied).toContain(`COPY --from=${/ AS (\w+)/.exec(readable)?.[1]} /app ./`);
  });

  const pairs = frameworks.flatMap((framework) => backends.map((backend) => ({ framework, backend })));
  test.each(pairs.map((pair) => [`${pair.framework.id} with ${pair.backend.id}`, pair] as const))(
    "C12: %s can be planned, for every package manager, with no template residue",
    async (_, pair) => {
      for (const packageManager of ["npm", "pnpm", "yarn", "bun"] as const) {
        const files = await plan({ ...pair, packageManager, nodePinned: packageManager === "npm" }, assets);
        for (const path of [
          "src/main.ts",
          "src/store/driver.ts",
          "src/session/adapter.ts",
          "src/session/contract.ts",
        ]) {
          expect([...files.keys()], path).toContain(path);
        }
        for (const [path, { content }] of files) {
          const written = new TextDecoder().decode(content);
          expect(path).not.toMatch(/\.hbs$|(^|\/)_/);
          expect(written, path).not.toMatch(/\{\{[^}]*\}\}|\[object Object\]/);
          if (path.endsWith(".md") || path.startsWith(".env")) expect(written, path).not.toMatch(/\bundefined\b/);
          expect(written === "" || written.endsWith("\n"), `${path} ends with a line break`).toBe(true);
        }
      }
    },
  );
});
