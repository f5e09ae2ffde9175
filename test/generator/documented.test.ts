// The options and error codes of the initializer as the documents name them: each of them, and no other.
// Change it when another document describes options.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { COMMANDS, OPTIONS } from "../../create-session-app/src/command-line/arguments.ts";
import { repository } from "./sandbox.ts";

const read = (path: string) => readFileSync(join(repository, path), "utf8");

/** Options of other programs that the documents name. */
const OTHERS = ["from", "to", "omit"];

describe("options", () => {
  test("C2: docs/initializer.md has each option with the words of --help, and the commands that take it", () => {
    const rows = Object.entries(OPTIONS).map(([name, { short, value, help, commands = ["create"] }]) => {
      const flag = `\`--${name}${value === undefined ? "" : ` ${value}`}\``;
      const takers = commands.length === Object.keys(COMMANDS).length ? "all" : commands.join(", ");
      return `| ${short === undefined ? "" : `\`-${short}\`, `}${flag} | ${help} | ${takers} |`;
    });
    const [table] = /^\| option \|[\s\S]*?(?=\n\n)/m.exec(read("docs/initializer.md")) ?? [];
    expect(table).toBe(["| option | | commands |", "|---|---|---|", ...rows].join("\n"));
  });

  test("C15: docs/initializer.md and README.md name every command", () => {
    for (const path of ["docs/initializer.md", "README.md"]) {
      for (const command of Object.keys(COMMANDS))
        expect(read(path), path).toMatch(new RegExp(`\`[^\`]*\\b${command}\\b`));
    }
  });

  test.each(["README.md", "docs/initializer.md", "create-session-app/README.md"])(
    "C2: %s names no option that there isn't",
    (path) => {
      const named = [...read(path).matchAll(/(?<![\w-])--([a-z][a-z-]*)/g)].map(([, name = ""]) => name);
      expect(named.filter((name) => !Object.hasOwn(OPTIONS, name) && !OTHERS.includes(name))).toEqual([]);
    },
  );
});

test("C3: docs/initializer.md has each code of an error, and no other", () => {
  const source = join(repository, "create-session-app/src");
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
  const code = files.map((path) => readFileSync(join(source, path), "utf8")).join("\n");
  const thrown = [...code.matchAll(/(?:new Failure\(\s*\d+,|failed\(.*,)\s*(?:code \|\| )?"([A-Z_]+)"/g)].map(
    ([, name]) => name,
  );
  const [section = ""] = /The codes: [\s\S]*?(?=\n\n)/.exec(read("docs/initializer.md")) ?? [];
  // The system's own are examples.
  const documented = [...section.matchAll(/`([A-Z_]+)`/g)]
    .map(([, name]) => name)
    .filter((name) => !/^E[A-Z]+$/.test(name ?? ""));
  expect(documented.toSorted()).toEqual([...new Set(thrown)].toSorted());
});
