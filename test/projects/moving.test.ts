// Projects that keep the store which they had before (L6): held to what every project is held to, with each store in both places.
// Nothing to change here for a new backend: the folders are the registry.

import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { packs, repository } from "../../scripts/packs.ts";
import { assembleMove } from "../http/assemble.ts";
import { imports, type Manifest } from "./dependencies.ts";
import { command, place } from "./stranger.ts";
import { unused } from "./unused.ts";

const BACKENDS = packs("backends").filter((id) => id !== "memory");
/** The one whose types need no packages of other packages, which a folder outside of the repository doesn't find. */
const framework = "node";
const bin = join(repository, "node_modules", ".bin");

describe.each(BACKENDS)("%s, with the store before it", (backend) => {
  const previous = BACKENDS.at(BACKENDS.indexOf(backend) - 1) ?? "";

  async function project(): Promise<string> {
    const folder = await place();
    onTestFinished(() => rm(folder, { recursive: true }));
    await assembleMove({ framework, backend }, previous, folder);
    return folder;
  }

  test("P1 P2 P12 C12 L6: it type-checks, is formatted, declares what it imports, and has nothing unused", async () => {
    const folder = await project();
    const types = await command(folder, [join(bin, "tsc"), "--noEmit"]);
    expect(types, types.output).toMatchObject({ code: 0, output: "" });
    const config = `--config-path=${join(repository, "biome.json")}`;
    const format = await command(folder, [
      join(bin, "biome"),
      "check",
      "--error-on-warnings",
      "--vcs-enabled=false",
      config,
      ".",
    ]);
    expect(format.code, format.output).toBe(0);
    const { dependencies = {} }: Manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const used = await imports(folder);
    expect([...used.src].filter((name) => !(name in dependencies))).toEqual([]);
    // What of the previous store's code only its own tests use is none of this project's.
    const superfluous = (await unused(folder)).filter((entry) => !/^src\/previous-store\/.* /.test(entry));
    expect(superfluous).toEqual([]);
    for (const path of ["README.md", "docs/moving.md"]) {
      expect(await readFile(join(folder, path), "utf8"), path).not.toMatch(/\{\{|\bundefined\b|\[object/);
    }
  });

  test("C8 L6: `sessions copy` says in one line what is wrong", async () => {
    const folder = await project();
    const copy = (...args: string[]) => command(folder, [process.execPath, "src/cli/sessions.ts", "copy", ...args]);
    const wrong = [
      [await copy(), /^copy needs --from <url> and --to <url>\.\n$/],
      [await copy("--colour"), /^Unknown option '--colour'; --help lists the options\.\n$/],
      [await copy("--from", "nosuch:store", "--to", "other:store"), /^--from: a URL starts with .+ or .+\.\n$/],
    ] as const;
    for (const [outcome, line] of wrong) {
      expect(outcome.code).toBe(2);
      expect(outcome.output).toMatch(line);
    }
    expect(await copy("--help")).toMatchObject({ code: 0, output: expect.stringContaining("--only-missing") });
  });
});
