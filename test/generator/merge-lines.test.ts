// Merging by lines, on files that projects get, compared with what git makes of the same three versions.
// Change it when a merge by lines should come out otherwise.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mergeLines } from "../../create-session-app/src/project/merge-lines.ts";
import { allEdits, edited, lineEdits, lineEnds, plainEdits, withLineEnds } from "./edits.ts";
import { repository, temporaryFolder } from "./sandbox.ts";

const labels = { yours: "yours", ours: "create-session-app 0.2.0" };

const originals = [
  "runtime/src/session/sessions.ts",
  "runtime/src/session/token.ts",
  "templates/frameworks/express/files/src/main.ts",
  "templates/backends/postgres/files/src/store/driver.ts",
  "templates/backends/redis/files/compose.yaml.hbs",
  "templates/base/files/README.md.hbs",
  "templates/base/files/tsconfig.json",
];

/** By its path, which is shorter to report than its text. */
const original = fc.constantFrom(...originals);
const textOf = (path: string) => readFileSync(join(repository, path), "utf8");

const folder = temporaryFolder();

/** What git makes of it, without conflicts or not at all. */
function mergedByGit(base: string, yours: string, ours: string): string | undefined {
  const paths = { yours: join(folder, "yours"), base: join(folder, "base"), ours: join(folder, "ours") };
  writeFileSync(paths.base, base);
  writeFileSync(paths.yours, yours);
  writeFileSync(paths.ours, ours);
  const { status, stdout } = spawnSync("git", ["merge-file", "-p", paths.yours, paths.base, paths.ours], {
    encoding: "utf8",
  });
  return status === 0 ? stdout : undefined;
}

/** How often each line is there, without its indentation. */
function counted(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of text.split("\n")) counts.set(line.trim(), (counts.get(line.trim()) ?? 0) + 1);
  return counts;
}

/** The lines that `yours` has more often than `base`, and `merged` less often than that. */
function lostLines(base: string, yours: string, merged: string): string[] {
  const [inBase, inMerged] = [counted(base), counted(merged)];
  return [...counted(yours)]
    .filter(([line, count]) => (inMerged.get(line) ?? 0) < count - (inBase.get(line) ?? 0))
    .map(([line]) => line);
}

describe("against git", () => {
  test("L2: what git merges without a conflict comes out with the same lines", () => {
    let conflictsOfOurs = 0;
    let clean = 0;
    fc.assert(
      fc.property(original, lineEdits, plainEdits, (path, yourEdits, ourEdits) => {
        const base = textOf(path);
        const yours = edited(base, yourEdits, "yours");
        const ours = edited(base, ourEdits, "ours");
        const expected = mergedByGit(base, yours, ours);
        const merged = mergeLines({ base, yours, ours }, labels);
        if (expected === undefined) return;
        clean++;
        if (merged.conflicts > 0) conflictsOfOurs++;
        else expect(merged.text.split("\n").sort()).toEqual(expected.split("\n").sort());
      }),
      { numRuns: 300 },
    );
    expect(clean).toBeGreaterThan(100);
    // Where lines repeat, there are more ways to match them than either of the two tries.
    expect(conflictsOfOurs).toBeLessThanOrEqual(clean / 50);
  });
});

describe("nothing of the user's gets lost", () => {
  test("L3: each line that the user has added is there, whatever else was changed", () => {
    fc.assert(
      fc.property(original, allEdits, allEdits, lineEnds, fc.boolean(), (path, yourEdits, ourEdits, ends, loose) => {
        const base = textOf(path);
        const yours = withLineEnds(edited(base, yourEdits, "yours"), ends);
        const ours = edited(base, ourEdits, "ours");
        const merged = mergeLines({ base, yours, ours }, labels, { ignoreIndentation: loose });
        expect(lostLines(base, yours, merged.text)).toEqual([]);
        if (merged.conflicts === 0) expect(lostLines(base, ours, merged.text)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test("L2: a second merge of the same version changes nothing", () => {
    fc.assert(
      fc.property(original, allEdits, allEdits, lineEnds, (path, yourEdits, ourEdits, ends) => {
        const base = textOf(path);
        const yours = withLineEnds(edited(base, yourEdits, "yours"), ends);
        const ours = edited(base, ourEdits, "ours");
        const merged = mergeLines({ base, yours, ours }, labels, { ignoreIndentation: true });
        if (merged.conflicts > 0) return;
        const again = mergeLines({ base: ours, yours: merged.text, ours }, labels, { ignoreIndentation: true });
        expect(again).toEqual({ text: merged.text, conflicts: 0 });
      }),
      { numRuns: 200 },
    );
  });

  test("L2: whoever has changed nothing gets the other side, byte for byte", () => {
    fc.assert(
      fc.property(original, allEdits, lineEnds, (path, edits, ends) => {
        const base = textOf(path);
        const changed = edited(base, edits, "one side");
        const yours = withLineEnds(changed, ends);
        expect(mergeLines({ base, yours, ours: base }, labels)).toEqual({ text: yours, conflicts: 0 });
        expect(mergeLines({ base, yours: base, ours: changed }, labels)).toEqual({ text: changed, conflicts: 0 });
      }),
      { numRuns: 200 },
    );
  });
});

describe("conflicts", () => {
  test("L2: a conflict shows both sides, with labels, and only the lines that differ", () => {
    const base = "one\ntwo\nthree\nfour\n";
    const merged = mergeLines({ base, yours: "one\nTWO\n3\nfour\n", ours: "one\nzwei\n3\nfour\n" }, labels);
    expect(merged).toEqual({
      text: "one\n<<<<<<< yours\nTWO\n=======\nzwei\n>>>>>>> create-session-app 0.2.0\n3\nfour\n",
      conflicts: 1,
    });
  });

  test("L2: the same change on both sides is no conflict", () => {
    const merged = mergeLines({ base: "a\nb\nc\n", yours: "a\nB\nc\n", ours: "a\nB\nc\n" }, labels);
    expect(merged).toEqual({ text: "a\nB\nc\n", conflicts: 0 });
  });

  test("L2: repeated lines are matched so that no conflict comes of it, as git does", () => {
    const base = "a\n}\nb\nb\na\n}\n";
    const sides = { base, yours: "a\nb\na\n}\n", ours: "a\n}\nb\nb\nnew\na\n}\n" };
    expect(mergedByGit(sides.base, sides.yours, sides.ours)).toBe("a\nb\nnew\na\n}\n");
    expect(mergeLines(sides, labels)).toEqual({ text: "a\nb\nnew\na\n}\n", conflicts: 0 });
  });

  test("L3: a block that the user has moved and this version has changed is a conflict", () => {
    const base = "a\nb\nc\nd\ne\nf\ng\n";
    const merged = mergeLines({ base, yours: "a\nd\ne\nf\nb\nc\ng\n", ours: "a\nb\nC\nd\ne\nf\ng\n" }, labels);
    expect(merged.conflicts).toBe(1);
    expect(merged.text).toContain("\nC\n");
    expect(merged.text).toContain("f\nb\nc\ng\n");
  });
});

describe("how the user's text is stored", () => {
  test("L2: a text with the line ends of Windows keeps them, markers and new lines included", () => {
    const merged = mergeLines(
      { base: "a\nb\nc\nd\ne\n", yours: "a\r\nB\r\nc\r\nd\r\ne\r\n", ours: "a\nbb\nc\nd\nE\n" },
      labels,
    );
    expect(merged.text).toBe(
      "a\r\n<<<<<<< yours\r\nB\r\n=======\r\nbb\r\n>>>>>>> create-session-app 0.2.0\r\nc\r\nd\r\nE\r\n",
    );
  });

  test("L3: in a text with both line ends each line keeps its own", () => {
    const merged = mergeLines({ base: "a\nb\nc\n", yours: "a\r\nb\nc\r\n", ours: "a\nb\nc\nd\n" }, labels);
    expect(merged).toEqual({ text: "a\r\nb\nc\r\nd\r\n", conflicts: 0 });
  });

  test.each([
    { base: "a\nb\n", yours: "a\nb", ours: "A\nb\n", text: "A\nb" },
    { base: "a\nb\n", yours: "a\nb", ours: "a\nb\nc\n", text: "a\nb\nc" },
    { base: "a\nb", yours: "A\nb", ours: "a\nb\n", text: "A\nb\n" },
    { base: "a\nb", yours: "a\r\nb", ours: "a\nb\nc", text: "a\r\nb\r\nc" },
    { base: "a\n", yours: "", ours: "a\n", text: "" },
    { base: "", yours: "a", ours: "", text: "a" },
  ])("L3: a newline at the end is there or not as the side says that has changed it: $text", ({ text, ...sides }) => {
    expect(mergeLines(sides, labels)).toEqual({ text, conflicts: 0 });
  });

  test("L2: a block that the user has put into another takes a change of its lines, indented as the user has it", () => {
    const base = "function start() {\n  open();\n  if (ready) {\n    serve(80);\n  }\n}\n";
    const yours =
      "function start() {\n  try {\n    open();\n    if (ready) {\n      serve(80);\n    }\n  } finally {}\n}\n";
    const ours = "function start() {\n  open();\n  if (ready) {\n    serve(443);\n    announce();\n  }\n}\n";
    const merged = mergeLines({ base, yours, ours }, labels, { ignoreIndentation: true });
    expect(merged).toEqual({
      text: "function start() {\n  try {\n    open();\n    if (ready) {\n      serve(443);\n      announce();\n    }\n  } finally {}\n}\n",
      conflicts: 0,
    });
  });

  test("L2: new lines in a text that the user indents by tabs are indented by tabs", () => {
    const base = "f() {\n  a();\n  if (b) {\n    c();\n  }\n}\n";
    const yours = "f() {\n\ta();\n\tif (b) {\n\t\tc();\n\t}\n}\n";
    const ours = "f() {\n  a();\n  if (b) {\n    C();\n    if (d) {\n      e();\n    }\n  }\n}\n";
    const merged = mergeLines({ base, yours, ours }, labels, { ignoreIndentation: true });
    expect(merged.text).toBe("f() {\n\ta();\n\tif (b) {\n\t\tC();\n\t\tif (d) {\n\t\t\te();\n\t\t}\n\t}\n}\n");
  });
});
