// package.json of a project: the shares of all packs, merged as data, and what each package manager wants in it.
// Change it when a project's package.json gets another key.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Layer } from "../../create-session-app/src/packs/catalog.ts";
import { formatManifest, mergeManifests } from "../../create-session-app/src/project/manifest.ts";
import { fixtures, manifest, pack, plan, text } from "./plans.ts";

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
    // One of them needs its scripts, and yarn 1 knows only all or none.
    expect([...yarn.keys()]).not.toContain(".yarnrc");
    const bun = await plan({ backend, packageManager: "bun" });
    expect(manifest(bun).trustedDependencies).toEqual(["served-driver"]);
    for (const files of [pnpm, yarn, bun]) expect(manifest(files)).not.toHaveProperty("allowScripts");
  });

  const layer = (origin: string, content: Record<string, unknown>): Layer => ({
    origin,
    manifest: content,
    exampleDependencies: [],
    listFiles: () => [],
    listAdded: () => [],
    listMoveFiles: () => [],
  });

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
