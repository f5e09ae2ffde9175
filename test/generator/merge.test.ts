// What becomes of each file of a project when it is brought to a newer state.
// Change it when a file should meet another fate.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MergeResult, TreeMerge } from "../../create-session-app/src/project/merge.ts";
import { mergeTrees } from "../../create-session-app/src/project/merge.ts";
import { allEdits, edited, lineEnds, plainEdits, withLineEnds } from "./edits.ts";
import { repository } from "./sandbox.ts";

const labels = { yours: "yours", ours: "create-session-app 0.2.0" };

function tree(files: Record<string, string | Uint8Array>): Map<string, Uint8Array> {
  return new Map(
    Object.entries(files).map(([path, content]) => [
      path,
      typeof content === "string" ? Buffer.from(content) : content,
    ]),
  );
}

type Files = Record<string, string | Uint8Array>;

function merge(base: Files, yours: Files, ours: Files, options: Partial<TreeMerge> = {}) {
  const result = mergeTrees({ base: tree(base), yours: tree(yours), ours: tree(ours), labels, ...options });
  const changes = Object.fromEntries(
    [...result.changes].map(([path, content]) => [
      path,
      content === "remove" ? content : Buffer.from(content).toString(),
    ]),
  );
  const outcomes = Object.fromEntries(result.files.map(({ path, outcome }) => [path, outcome]));
  return { ...result, changes, outcomes };
}

const long = Array.from({ length: 20 }, (_, index) => `line ${index}\n`).join("");

describe("the fate of a file", () => {
  test("L2: unchanged by the user: replaced; unchanged by this version: kept; changed by both: merged", () => {
    const { changes, outcomes } = merge(
      { a: long, b: long, c: long, d: long },
      { a: long, b: `${long}mine\n`, c: `${long}mine\n`, d: long },
      { a: `new\n${long}`, b: long, c: `new\n${long}`, d: long },
    );
    expect(changes).toEqual({ a: `new\n${long}`, c: `new\n${long}mine\n` });
    expect(outcomes).toEqual({ a: "taken", b: "kept", c: "merged", d: "same" });
  });

  test("L2: a conflict is marked, counted and reported", () => {
    const { changes, files } = merge({ a: "1\n" }, { a: "2\n" }, { a: "3\n" });
    expect(files).toEqual([{ path: "a", outcome: "conflict", conflicts: 1, notes: [] }]);
    expect(changes.a).toBe("<<<<<<< yours\n2\n=======\n3\n>>>>>>> create-session-app 0.2.0\n");
  });

  test("L2: what the user has deleted stays deleted, changed or not, unless it is to be restored", () => {
    const base = { a: "1\n", b: "1\n", c: "1\n" };
    const { changes, outcomes } = merge(base, {}, { a: "1\n", b: "2\n", c: "2\n" }, { restore: new Set(["c"]) });
    expect(changes).toEqual({ c: "2\n" });
    expect(outcomes).toEqual({ a: "kept-deleted", b: "kept-deleted", c: "restored" });
  });

  test("L2: what this version no longer has goes, unless the user has edited it", () => {
    const { changes, outcomes } = merge({ a: "1\n", b: "1\n", c: "1\n" }, { a: "1\r\n", b: "2\n" }, {});
    expect(changes).toEqual({ a: "remove" });
    expect(outcomes).toEqual({ a: "removed", b: "orphaned" });
  });

  test("L2: a new file is taken; one that both have added is shown as a conflict, where it differs", () => {
    const { changes, outcomes } = merge(
      {},
      { a: "same\n", b: "mine\nboth\n" },
      { a: "same\n", b: "new\nboth\n", c: "c\n" },
    );
    expect(outcomes).toEqual({ a: "same", b: "conflict", c: "taken" });
    expect(changes).toEqual({
      b: "<<<<<<< yours\nmine\n=======\nnew\n>>>>>>> create-session-app 0.2.0\nboth\n",
      c: "c\n",
    });
  });

  test("L2: files that were never generated are nobody's business", () => {
    expect(merge({}, { "src/mine.ts": "mine\n" }, {})).toMatchObject({ changes: {}, files: [] });
  });

  test("L3: where bytes that aren't text were changed by both, the user's stay and ours are put beside them", () => {
    const [one, two, three] = [1, 2, 3].map((byte) => Buffer.from([0, byte]));
    const { changes, files } = merge(
      { "a.png": one as Buffer, "b.png": one as Buffer },
      { "a.png": two as Buffer, "b.png": one as Buffer },
      { "a.png": three as Buffer, "b.png": two as Buffer },
    );
    expect(changes).toEqual({ "a.png.create-session-app": "\0\x03", "b.png": "\0\x02" });
    expect(files).toMatchObject([
      { path: "a.png", outcome: "conflict", beside: "a.png.create-session-app" },
      { path: "b.png", outcome: "taken" },
    ]);
  });

  test("L2: line ends and a byte order mark are no change, and stay as the user has them", () => {
    const yours = `\ufeff${long.replaceAll("\n", "\r\n")}`;
    const { changes, outcomes } = merge(
      { a: long, b: long, "package.json": '{\n  "a": 1\n}\n' },
      { a: yours, b: yours, "package.json": '{\r\n  "a": 1\r\n}\r\n' },
      { a: `${long}new\n`, b: long, "package.json": '{\n  "b": 2,\n  "a": 1\n}\n' },
    );
    expect(outcomes).toEqual({ a: "taken", b: "same", "package.json": "taken" });
    expect(changes).toEqual({ a: `${yours}new\r\n`, "package.json": '{\r\n  "b": 2,\r\n  "a": 1\r\n}\r\n' });
  });

  test("L2: lists of lines keep what both sides have added", () => {
    const { changes, outcomes } = merge(
      { ".gitignore": "node_modules\n" },
      { ".gitignore": "node_modules\n.idea\n" },
      { ".gitignore": "node_modules\ndata\n" },
    );
    expect(outcomes).toEqual({ ".gitignore": "merged" });
    expect(changes).toEqual({ ".gitignore": "node_modules\n.idea\ndata\n" });
  });
});

describe("moved files", () => {
  test("L2: a file that the user has moved is merged where it is now", () => {
    const { changes, files } = merge(
      { "src/a.ts": long },
      { "lib/b.ts": `${long}mine\n` },
      { "src/a.ts": `new\n${long}` },
      { movedByYou: new Map([["src/a.ts", "lib/b.ts"]]) },
    );
    expect(changes).toEqual({ "lib/b.ts": `new\n${long}mine\n` });
    expect(files).toMatchObject([{ path: "lib/b.ts", from: "src/a.ts", outcome: "merged" }]);
  });

  test("L2: a file that this version has moved takes the user's changes along", () => {
    const { changes, files } = merge(
      { a: long, b: "1\n" },
      { a: `${long}mine\n`, b: "1\n" },
      { "x/a": `new\n${long}`, c: "2\n" },
    );
    expect(changes).toEqual({ a: "remove", "x/a": `new\n${long}mine\n`, b: "remove", c: "2\n" });
    expect(files).toMatchObject([
      { path: "b", outcome: "removed" },
      { path: "c", outcome: "taken" },
      { path: "x/a", from: "a", outcome: "merged" },
    ]);
  });

  test("L2: where both have moved it, it stays where the user has put it", () => {
    const movedByYou = new Map([["a", "mine/a"]]);
    const apart = merge({ a: long }, { "mine/a": long }, { "x/a": `new\n${long}` }, { movedByYou });
    expect(apart.changes).toEqual({ "mine/a": `new\n${long}` });
    const alike = merge(
      { a: long },
      { "x/a": long },
      { "x/a": `new\n${long}` },
      { movedByYou: new Map([["a", "x/a"]]) },
    );
    expect(alike.changes).toEqual({ "x/a": `new\n${long}` });
  });

  test("L3: a file of the user's own where this version moves one to stays", () => {
    const { changes, outcomes } = merge({ a: long }, { a: `${long}mine\n`, "x/a": "own\n" }, { "x/a": `new\n${long}` });
    expect(outcomes).toEqual({ a: "orphaned", "x/a": "conflict" });
    expect(changes["x/a"]).toContain("own\n");
  });

  test("L2: a deleted file stays deleted where this version has moved it", () => {
    expect(merge({ a: long }, {}, { "x/a": `new\n${long}` })).toMatchObject({
      changes: {},
      outcomes: { "x/a": "kept-deleted" },
    });
  });
});

describe("whole projects", () => {
  const generated = tree(
    Object.fromEntries(
      [
        filesBelow("templates/base/files"),
        filesBelow("templates/frameworks/express/files"),
        filesBelow("templates/backends/postgres/files"),
      ]
        .flat()
        .map(([path, text]) => [path.replace(/\.hbs$/, "").replace(/(^|\/)_(?=[^/]*$)/, "$1."), text]),
    ),
  );
  const paths = [...generated.keys()];

  function filesBelow(folder: string): [string, string][] {
    return readdirSync(join(repository, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [file.slice(join(repository, folder).length + 1), readFileSync(file, "utf8")]);
  }

  interface Fates {
    changed: (readonly [path: string, edits: Parameters<typeof edited>[1]])[];
    deleted: string[];
    moved: string[];
    ends: Parameters<typeof withLineEnds>[1];
  }

  const path = fc.constantFrom(...paths);
  const fates = (edits: typeof allEdits): fc.Arbitrary<Fates> =>
    fc.record({
      changed: fc.array(fc.tuple(path, edits), { minLength: 1, maxLength: 8 }),
      deleted: fc.array(path, { maxLength: 3 }),
      moved: fc.array(path, { maxLength: 3 }),
      ends: lineEnds,
    });

  const text = (content: Uint8Array | undefined) => Buffer.from(content ?? []).toString();

  function live(fate: Fates, who: string) {
    const files = new Map(generated);
    const moves = new Map<string, string>();
    for (const [path, edits] of fate.changed) files.set(path, Buffer.from(edited(text(files.get(path)), edits, who)));
    for (const path of fate.deleted) files.delete(path);
    for (const path of fate.moved) {
      const content = files.get(path);
      if (content === undefined) continue;
      files.delete(path);
      files.set(`${who}/${path}`, content);
      moves.set(path, `${who}/${path}`);
    }
    return { files, moves };
  }

  function apply(files: ReadonlyMap<string, Uint8Array>, { changes }: MergeResult): Map<string, Uint8Array> {
    const after = new Map(files);
    for (const [path, content] of changes) {
      if (content === "remove") after.delete(path);
      else after.set(path, content);
    }
    return after;
  }

  test("L3: no line that the user has added gets lost, in no file, and what is lost of theirs was never theirs", () => {
    fc.assert(
      fc.property(fates(allEdits), fates(plainEdits), (yourFate, ourFate) => {
        const { files: yours, moves: movedByYou } = live(yourFate, "yours");
        for (const [path, content] of yours) yours.set(path, Buffer.from(withLineEnds(text(content), yourFate.ends)));
        const { files: ours } = live(ourFate, "ours");
        const result = mergeTrees({ base: generated, yours, ours, movedByYou, labels });
        const everything = [...apply(yours, result).values()].map(text).join("\n");
        const lines = new Set(everything.split(/\r?\n/).map((line) => line.trim()));
        const added = [...yours.values()].flatMap((content) => text(content).match(/\/\/ yours \d+/g) ?? []);
        expect(added.filter((line) => !lines.has(line))).toEqual([]);
        for (const path of yours.keys()) {
          const unchanged = !apply(yours, result).has(path) && !result.files.some(({ from }) => from === path);
          if (unchanged) expect(result.files.find((file) => file.path === path)?.outcome).toBe("removed");
        }
      }),
      { numRuns: 300 },
    );
  });

  test("L2: a second merge of the same version changes nothing, and a third neither", () => {
    fc.assert(
      fc.property(fates(allEdits), fates(plainEdits), (yourFate, ourFate) => {
        const { files: yours, moves: movedByYou } = live(yourFate, "yours");
        const { files: ours } = live(ourFate, "ours");
        const first = mergeTrees({ base: generated, yours, ours, movedByYou, labels });
        if (first.files.some(({ outcome }) => outcome === "conflict")) return;
        const after = apply(yours, first);
        const second = mergeTrees({ base: ours, yours: after, ours, movedByYou: first.moved, labels });
        expect([...second.changes.keys()]).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});
