// The rooms of the initializer's code: what the linter is told (biome.json) fails on a circle and on an import against the direction.
// Change it when there is another room.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { repository, temporaryFolder } from "./sandbox.ts";

/** Lints a copy of the initializer's sources with some more files, and returns the complaints: "path rule", one a line. */
function lint(files: Record<string, string>): string[] {
  const clone = temporaryFolder();
  const sources = "create-session-app/src";
  cpSync(join(repository, sources), join(clone, sources), { recursive: true });
  cpSync(join(repository, "biome.json"), join(clone, "biome.json"));
  symlinkSync(join(repository, "node_modules"), join(clone, "node_modules"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(clone, path)), { recursive: true });
    writeFileSync(join(clone, path), text);
  }
  const parameters = ["lint", "--vcs-enabled=false", "--colors=off", "--max-diagnostics=none", ...Object.keys(files)];
  const { stdout, stderr } = spawnSync(join(repository, "node_modules/.bin/biome"), parameters, {
    cwd: clone,
    encoding: "utf8",
  });
  const complaints = `${stdout}${stderr}`.matchAll(/^([^\s:]+):\S+ (lint\/\S+)/gm);
  return [...complaints].map(([, file, rule]) => `${file} ${rule}`);
}

const DIRECTION = "lint/style/noRestrictedImports";
const CIRCLE = "lint/suspicious/noImportCycles";
const rooms = readdirSync(join(repository, "create-session-app/src"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** A file of each room that another room might want. */
const WANTED: Record<string, string> = {
  app: "syntax.ts",
  choices: "answers.ts",
  "command-line": "report.ts",
  commands: "create.ts",
  disk: "changes.ts",
  packs: "catalog.ts",
  programs: "run.ts",
  project: "choice.ts",
};

const ALLOWED: Record<string, string[]> = {
  app: ["packs", "project"],
  choices: ["command-line", "packs", "project"],
  "command-line": ["packs"],
  commands: ["app", "choices", "command-line", "disk", "packs", "programs", "project"],
  disk: [],
  packs: [],
  programs: [],
  project: ["packs"],
};

describe("the rooms of create-session-app", () => {
  test("there is a rule for each of them", () => {
    expect(Object.keys(ALLOWED)).toEqual(rooms);
    expect(Object.keys(WANTED)).toEqual(rooms);
  });

  test.each(rooms)("%s imports only what lies below it, as a type or as a value", (room) => {
    const others = rooms.filter((other) => other !== room);
    const imports = others.map(
      (other) => `import type * as ${other.replace("-", "")} from "../${other}/${WANTED[other]}";`,
    );
    const names = others.map((other) => `keyof typeof ${other.replace("-", "")}`);
    const file = `create-session-app/src/${room}/planted.ts`;
    const text = `${imports.join("\n")}\n\nexport type Planted = ${names.join(" | ")};\n`;
    const forbidden = others.filter((other) => !ALLOWED[room]?.includes(other));
    expect(lint({ [file]: text })).toEqual(forbidden.map(() => `${file} ${DIRECTION}`));
  });

  test.each(["create-session-app/src/packs", "runtime/src/session"])(
    "a circle in %s is found, of types too",
    (folder) => {
      const one = 'import type { Two } from "./two.ts";\n\nexport type One = Two | 1;\n';
      const two = 'import type { One } from "./one.ts";\n\nexport type Two = One | 2;\n';
      const files = (last: string) => ({ [`${folder}/one.ts`]: one, [`${folder}/two.ts`]: last });
      expect(lint(files(two))).toEqual([`${folder}/one.ts ${CIRCLE}`, `${folder}/two.ts ${CIRCLE}`]);
      expect(lint(files("export type Two = 2;\n"))).toEqual([]);
    },
  );
});
