// The packs of this repository, planned: each pair gives a whole project, for every package manager.
// Change it when packs have to supply something else.
import { describe, expect, test } from "vitest";
import { packs } from "../../scripts/packs.ts";
import { plan, real, text } from "./plans.ts";

describe("the packs of this repository", () => {
  const assets = real;
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
      for (const backend of backends.filter(({ inProcess }) => !inProcess)) {
        const readme = text(await plan({ backend, packageManager }, assets), "README.md");
        expect(readme.split(command).length - 1, backend.id).toBeGreaterThan(
          backend.readSection().split("-- setup").length - 1,
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

  test("L6: each store that other processes can see may be moved from and to by a URL of its own", () => {
    const movable = backends.filter(({ inProcess }) => !inProcess);
    for (const { id, listMoveFiles } of movable) {
      expect(
        listMoveFiles().map(({ path }) => path),
        id,
      ).toEqual(["src/store/from-url.ts"]);
    }
  });

  test("C10: yarn 1 compiles nothing where each package brings its binaries along, in the image neither", async () => {
    const sqlite = backends.find(({ id }) => id === "sqlite");
    const files = await plan({ backend: sqlite, packageManager: "yarn" }, assets);
    expect(text(files, ".yarnrc")).toContain("--install.ignore-scripts true\n");
    expect(text(files, ".yarnrc")).toContain("compiled: better-sqlite3.");
    expect(text(files, "Dockerfile")).toContain("COPY package.json yarn.lock .yarnrc* ./\n");
    const postgres = backends.find(({ id }) => id === "postgres");
    expect([...(await plan({ backend: postgres, packageManager: "yarn" }, assets)).keys()]).not.toContain(".yarnrc");
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
