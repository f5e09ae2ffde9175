// Generated projects of several pairs, after 300 random edit scripts of a user's, merged with a changed set of templates.
// git's own three-way merge is the judge for lines, the compiler for what comes out. Change it when users edit in another way.
import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join, posix } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import * as prettier from "prettier";
import { beforeAll, describe, expect, test } from "vitest";
import { type MergeResult, mergeTrees } from "../../create-session-app/src/project/merge.ts";
import { contentsOf } from "../../create-session-app/src/project/plan.ts";
import type { Tree } from "../../create-session-app/src/project/tree.ts";
import type { Pair } from "../../scripts/packs.ts";
import { assemble } from "../http/assemble.ts";
import { type Edit, edited, lineEdits, lineEnds, plainEdits, withLineEnds } from "./edits.ts";
import { pack, plan, real } from "./plans.ts";
import { temporaryFolder } from "./sandbox.ts";
import { ourValidEdits, validEdits } from "./valid-edits.ts";

const MINUTES = 60_000;
const labels = { yours: "yours", ours: "create-session-app 0.2.0" };

const pairs: (Pair & { minimal?: boolean })[] = [
  { framework: "express", backend: "postgres" },
  { framework: "hono", backend: "sqlite" },
  { framework: "fastify", backend: "redis", minimal: true },
  { framework: "koa", backend: "mongodb" },
  { framework: "node", backend: "couchdb" },
];
const projects: Map<string, Uint8Array>[] = [];

beforeAll(async () => {
  for (const { framework, backend, minimal = false } of pairs) {
    const { frameworks, backends } = real.catalog;
    const packs = { framework: pack(frameworks, framework), backend: pack(backends, backend) };
    projects.push(contentsOf(await plan({ ...packs, minimal }, real)));
  }
});

/** What happens to a project: `share` picks a file, of those that there are. */
interface Script {
  pair: number;
  changed: { share: number; edits: Edit[] }[];
  renamed: number[];
  deleted: number[];
  reformatted: boolean;
  ends: "\n" | "\r\n" | "mixed";
}

const share = fc.noBias(fc.integer({ min: 0, max: 9999 }).map((number) => number / 10_000));

function scripts(edits: fc.Arbitrary<Edit[]>, reformatted: fc.Arbitrary<boolean>): fc.Arbitrary<Script> {
  return fc.record({
    pair: fc.integer({ min: 0, max: pairs.length - 1 }),
    changed: fc.array(fc.record({ share, edits }), { minLength: 3, maxLength: 12 }),
    renamed: fc.array(share, { maxLength: 2 }),
    deleted: fc.array(share, { maxLength: 2 }),
    reformatted,
    ends: lineEnds,
  });
}

const ourChanges = (edits: fc.Arbitrary<Edit[]>) =>
  fc.array(fc.record({ share, edits }), { minLength: 3, maxLength: 20 });

const textOf = (content: Uint8Array | undefined) => Buffer.from(content ?? []).toString();

/** Only code, so that files are hit by both sides often. */
function pick(files: Tree, share: number, fits = /^src\/.*\.ts$/): string | undefined {
  const paths = [...files.keys()].filter((path) => fits.test(path));
  return paths[Math.floor(share * paths.length)];
}

function change(files: Map<string, Uint8Array>, changes: Script["changed"], who: string): void {
  for (const { share, edits } of changes) {
    const path = pick(files, share);
    if (path !== undefined) files.set(path, Buffer.from(edited(textOf(files.get(path)), edits, who)));
  }
}

/** Renames a file in its folder, and names it anew wherever it is imported. */
function rename(files: Map<string, Uint8Array>, path: string): string {
  const renamed = path.replace(/([^/]*)\.ts$/, "my-$1.ts");
  for (const [file, content] of files) {
    if (!file.endsWith(".ts")) continue;
    const text = textOf(content).replace(/"(\.{1,2}\/[^"]*)"/g, (whole, specifier: string) =>
      posix.join(dirname(file), specifier) === path ? whole.replace(/([^/"]*)\.ts"$/, 'my-$1.ts"') : whole,
    );
    files.set(file, Buffer.from(text));
  }
  files.set(renamed, files.get(path) as Uint8Array);
  files.delete(path);
  return renamed;
}

const FORMAT = { parser: "typescript", semi: false, singleQuote: true, tabWidth: 4 };
const formattedTexts = new Map<string, string>();

async function format(text: string): Promise<string> {
  const known = formattedTexts.get(text) ?? (await prettier.format(text, FORMAT));
  formattedTexts.set(text, known);
  return known;
}

interface Lived {
  base: Tree;
  yours: Map<string, Uint8Array>;
  ours: Map<string, Uint8Array>;
  movedByYou: Map<string, string>;
}

async function live(script: Script, ourScript: Script["changed"]): Promise<Lived> {
  const base = projects[script.pair] as Tree;
  const [yours, ours, movedByYou] = [new Map(base), new Map(base), new Map<string, string>()];
  change(yours, script.changed, "yours");
  for (const share of script.deleted) {
    const path = pick(yours, share, /^test\/.*\.test\.ts$/);
    if (path !== undefined) yours.delete(path);
  }
  for (const share of script.renamed) {
    const path = pick(yours, share);
    if (path !== undefined && base.has(path)) movedByYou.set(path, rename(yours, path));
  }
  for (const [path, content] of yours) {
    const isCode = path.endsWith(".ts") && content !== base.get(path);
    const text = script.reformatted && isCode ? await format(textOf(content)) : textOf(content);
    if (!/\.(png|ico)$/.test(path)) yours.set(path, Buffer.from(withLineEnds(text, script.ends)));
  }
  change(ours, ourScript, "ours");
  return { base, yours, ours, movedByYou };
}

async function mergedProject({ base, yours, ours, movedByYou }: Lived, reformatted: boolean): Promise<MergeResult> {
  const first = mergeTrees({ base, yours, ours, movedByYou, labels });
  if (!reformatted) return first;
  const formatted = new Map<Uint8Array, Uint8Array>();
  for (const content of first.changedByBoth
    .filter(({ path }) => path.endsWith(".ts"))
    .flatMap(({ generated }) => generated)) {
    formatted.set(content, Buffer.from(await format(textOf(content))));
  }
  return mergeTrees({ base, yours, ours, movedByYou, labels, formatted });
}

function applied(files: Tree, { changes }: MergeResult): Map<string, Uint8Array> {
  const after = new Map(files);
  for (const [path, content] of changes) {
    if (content === "remove") after.delete(path);
    else after.set(path, content);
  }
  return after;
}

const folder = temporaryFolder();

/** What git makes of it, without conflicts or not at all. */
function mergedByGit(texts: Record<"base" | "yours" | "ours", string>): string | undefined {
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
  const parameters = ["merge-file", "-p", "yours", "base", "ours"];
  const { status, stdout } = spawnSync("git", parameters, { cwd: folder, encoding: "utf8" });
  return status === 0 ? stdout : undefined;
}

const sorted = (text: string) => text.replaceAll("\r\n", "\n").split("\n").sort();

describe("300 edit scripts", () => {
  test("L2 L3: keep every line of the user's, come out as git merges them, and are settled by one update", {
    timeout: 10 * MINUTES,
  }, async () => {
    const judged = { clean: 0, conflicts: 0 };
    const property = fc.asyncProperty(
      scripts(lineEdits, fc.constant(false)),
      ourChanges(plainEdits),
      async (script, ourScript) => {
        const lived = await live(script, ourScript);
        const { base, yours, ours, movedByYou } = lived;
        const result = await mergedProject(lived, false);
        const after = applied(yours, result);

        const lines = new Set([...after.values()].flatMap((content) => textOf(content).split(/\r?\n/)));
        const added = [...yours.values()].flatMap((content) => textOf(content).match(/^.*\/\/ yours \d+$/gm) ?? []);
        expect(added.filter((line) => !lines.has(line))).toEqual([]);

        for (const { path, outcome } of result.files.filter(({ path }) => path.endsWith(".ts"))) {
          const generated = [...movedByYou].find(([, now]) => now === path)?.[0] ?? path;
          const texts = {
            base: textOf(base.get(generated)),
            yours: textOf(yours.get(path)).replaceAll("\r\n", "\n"),
            ours: textOf(ours.get(generated)),
          };
          if (!yours.has(path) || (outcome !== "merged" && outcome !== "conflict")) continue;
          const expected = mergedByGit(texts);
          if (expected === undefined) continue;
          judged.clean++;
          // Code may be indented anew, which git calls a conflict or a change of both; so only its lines count.
          if (outcome === "conflict") judged.conflicts++;
          else expect(sorted(textOf(after.get(path)))).toEqual(sorted(expected));
        }

        if (result.files.some(({ outcome }) => outcome === "conflict")) return;
        const again = mergeTrees({ base: ours, yours: after, ours, movedByYou: result.moved, labels });
        expect([...again.changes.keys()]).toEqual([]);
      },
    );
    await fc.assert(property, { numRuns: 300 });
    expect(judged.clean).toBeGreaterThan(100);
    expect(judged.conflicts).toBeLessThanOrEqual(judged.clean / 50);
  });

  test("L2 L3: that leave code valid give valid code, reformatted or not", { timeout: 10 * MINUTES }, async () => {
    let merged = 0;
    const property = fc.asyncProperty(
      scripts(validEdits, fc.boolean()),
      ourChanges(ourValidEdits),
      async (script, ourScript) => {
        const lived = await live(script, ourScript);
        const result = await mergedProject(lived, script.reformatted);
        const after = applied(lived.yours, result);
        for (const { path, outcome } of result.files.filter(({ path }) => path.endsWith(".ts"))) {
          if (outcome !== "merged") continue;
          merged++;
          expect(() => stripTypeScriptTypes(textOf(after.get(path))), path).not.toThrow();
        }
      },
    );
    await fc.assert(property, { numRuns: 300 });
    expect(merged).toBeGreaterThan(100);
  });

  test("L2 L3: and what type-checked before type-checks after, on a sample of every pair", {
    timeout: 10 * MINUTES,
  }, async () => {
    const sample = fc.sample(fc.tuple(scripts(validEdits, fc.boolean()), ourChanges(ourValidEdits)), 40);
    for (const [number, pair] of pairs.entries()) {
      let checked = 0;
      for (const [script, ourScript] of sample) {
        const ofPair = { ...script, pair: number };
        const lived = await live(ofPair, ourScript);
        const result = await mergedProject(lived, ofPair.reformatted);
        const isClean = result.files.every(({ outcome }) => outcome !== "conflict");
        if (!isClean || !result.files.some(({ outcome }) => outcome === "merged")) continue;
        await typeCheck(pair, applied(lived.yours, result));
        if (++checked === 2) break;
      }
      expect(checked, `${pair.framework} with ${pair.backend}`).toBe(2);
    }
  });
});

async function typeCheck(pair: Pair, files: Tree): Promise<void> {
  const project = await assemble(pair, "merged");
  for (const part of ["src", "test"]) rmSync(join(project, part), { recursive: true });
  for (const [path, content] of files) {
    if (path === "package.json") continue;
    mkdirSync(dirname(join(project, path)), { recursive: true });
    writeFileSync(join(project, path), content);
  }
  const tsc = join(import.meta.dirname, "../../node_modules/typescript/bin/tsc");
  await promisify(execFile)(process.execPath, [tsc, "--noEmit"], { cwd: project });
}
