// Names and words from outside: what is taken, what is refused, and how it is shown.
// Change it when npm changes its rules for names.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { directoryProblem, nameFromDirectory, nameProblem } from "../../create-session-app/src/choices/project-name.ts";
import { nearest, quoted } from "../../create-session-app/src/command-line/wording.ts";
import { shellWord } from "../../create-session-app/src/project/next-steps.ts";
import { tooOldNode } from "../../create-session-app/src/project/node-version.ts";
import { runningPackageManager } from "../../create-session-app/src/project/package-manager.ts";

describe("package names", () => {
  test.each(["a", "my-app", "my.app_2", "@scope/my-app", "x".repeat(214)])("C8: %s is taken", (name) => {
    expect(nameProblem(name)).toBeUndefined();
  });

  test.each([
    ["", "empty"],
    [" app", "space"],
    ["My-App", "capital"],
    [".hidden", 'starts with "."'],
    ["_private", 'starts with "_"'],
    ["-flag", 'starts with "-"'],
    ["..", 'starts with "."'],
    ["../app", 'starts with "."'],
    ["/etc/app", "only a to z"],
    ["a/b", "only a to z"],
    ["@scope", "only a to z"],
    ["@scope/.app", 'starts with "."'],
    ["app!", "only a to z"],
    ["аpp", "only a to z"],
    ["naïve", "only a to z"],
    ["app\n", "space"],
    ["node_modules", "reserves"],
    ["favicon.ico", "reserves"],
    ["http", "module of Node"],
    ["x".repeat(215), "215 characters"],
  ])("C8: %j is refused", (name, reason) => {
    expect(nameProblem(name)).toContain(reason);
  });

  test.each([
    ["My App", "my-app"],
    [".hidden", "hidden"],
    ["-flag", "flag"],
    ["Crème brûlée", "creme-brulee"],
    ["http", "http-app"],
    ["a".repeat(300), "a".repeat(214)],
    ["проект", ""],
    ["..", "generator"],
  ])("C8: the directory %j gives the name %j", (directory, name) => {
    expect(nameFromDirectory(directory === ".." ? join(import.meta.dirname, "plan", "..") : directory)).toBe(name);
  });

  test("C8: whatever the directory is called, the name made of it is one that npm takes, or none", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 300 }), (directory) => {
        const name = nameFromDirectory(directory);
        if (name !== "") expect(nameProblem(name)).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });
});

describe("directories", () => {
  test.each([
    "con",
    "NUL",
    "aux.txt",
    "COM1",
    "a/b/lpt9",
    "aux/app",
    "~",
    "~/app",
    "bad\nname",
    "bidi\u202ename",
    "half\ud83d",
    "x".repeat(256),
    "é".repeat(128),
  ])("C8: %j is refused", (directory) => {
    expect(directoryProblem(directory)).toBeTypeOf("string");
  });

  test.each([".", "..", "../app", "/tmp/app", "console", "com10", "with space", "проект", "x".repeat(255)])(
    "C8: %j is fine",
    (directory) => {
      expect(directoryProblem(directory)).toBeUndefined();
    },
  );
});

describe("words", () => {
  test.each([
    ["expres", "express"],
    ["exprses", "express"],
    ["Express", "express"],
    ["postgresql", "postgres"],
    ["mongo", "mongodb"],
    ["sqlite3", "sqlite"],
    ["еxpress", "express"],
    ["nonsense", undefined],
    ["x", undefined],
  ])("C8: %j is near to %j", (word, meant) => {
    expect(nearest(word, ["express", "postgres", "mongodb", "sqlite", "koa"])).toBe(meant);
  });

  test("C8: foreign text can't play tricks on a terminal", () => {
    expect(quoted("a\x1b[2Jb\u202ec\u200bd\x9be")).toBe('"a\\u001b[2Jb\\u202ec\\u200bd\\u009be"');
    expect(quoted("x".repeat(500)).length).toBeLessThan(90);
  });

  test("C10: any directory is one word of the shell, and comes back as it was", () => {
    const characters = fc.string({
      unit: fc.constantFrom("a", " ", "'", '"', "$", "`", "\\", "*", ";", "é", "!", "&", "("),
    });
    fc.assert(
      fc.property(characters, (name) => {
        expect(execFileSync("sh", ["-c", `printf %s ${shellWord(name)}`], { encoding: "utf8" })).toBe(name);
      }),
      { numRuns: 50 },
    );
    expect(shellWord("my-app/sub.dir", false)).toBe("my-app/sub.dir");
    expect(shellWord("C:\\My Apps\\one", true)).toBe('"C:\\My Apps\\one"');
  });
});

describe("package managers", () => {
  test.each([
    ["npm/11.0.0 node/v22.18.0 linux x64 workspaces/false", "npm"],
    ["pnpm/10.2.0 npm/? node/v22.12.0 linux x64", "pnpm"],
    ["yarn/1.22.22 npm/? node/v20.1.0 linux x64", "yarn"],
    ["bun/1.2.0 npm/? node/v24.3.0 linux x64", "bun"],
    ["other/1.0.0", "npm"],
    [undefined, "npm"],
  ])("C2: %j is %s", (userAgent, manager) => {
    expect(runningPackageManager(userAgent)).toBe(manager);
  });

  test.each([
    ["20.20.2", undefined, "20.20.2"],
    ["22.17.1", undefined, "22.17.1"],
    ["22.18.0", undefined, undefined],
    ["23.5.0", undefined, "23.5.0"],
    ["23.6.0", undefined, undefined],
    ["24.0.0", undefined, undefined],
    ["24.0.0", "npm/10.8.2 node/v20.20.2 linux x64", "20.20.2"],
    ["24.0.0", "npm/11.0.0 node/v24.0.0 linux x64", undefined],
    ["24.0.0", "bun/1.0.0 npm/? node/v18.15.0 linux x64", undefined],
  ])("C11: Node %s, run by %j: too old is %s", (own, userAgent, old) => {
    expect(tooOldNode(own, userAgent)).toBe(old);
  });
});
