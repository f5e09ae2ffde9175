// `update` of projects that their users have formatted in their own way, by the real Prettier and the real Biome.
// Change it when another formatter's projects should merge.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { programs, repository } from "./sandbox.ts";
import { append, type Project, Version } from "./versions.ts";

const OFFLINE = programs({ npm: "echo no network; exit 1" });
const MINUTES = 60_000;

let first: Version;
let second: Version;

beforeAll(() => {
  first = new Version("0.3.0");
  first.write("templates/base/files/src/http/gone.ts", 'export const gone = { one: "1", two: "2" };\n');
  second = new Version("0.4.0", first);
  second.remove("templates/base/files/src/http/gone.ts");
  second.edit("templates/base/files/src/config.ts", (text) =>
    text.replace(
      "export interface Config {\n",
      'export interface Config {\n  /** New in 0.4.0. */\n  added: "a" | "b";\n',
    ),
  );
  second.edit("templates/base/files/src/config.ts", (text) =>
    text.replace("  return {\n    host", '  return {\n    added: env.choice("ADDED", "a", ["a", "b"]),\n    host'),
  );
  second.edit("templates/frameworks/express/files/src/main.ts", (text) =>
    text.replace("  const app = express();\n", '  const app = express();\n  app.disable("x-powered-by");\n'),
  );
  second.edit("runtime/src/session/cookie.ts", append('\nexport const added = "New in 0.4.0";\n'));
  second.edit("templates/base/files/src/session-data.ts", (text) => `// New in 0.4.0.\n${text}`);
});

interface Formatter {
  name: string;
  packages: string[];
  settings: Record<string, string>;
  /** The program and its parameters, to format or to check the whole project. */
  write: string[];
  check: string[];
}

const formatters: Formatter[] = [
  {
    name: "Prettier without semicolons, four spaces",
    packages: ["prettier"],
    settings: { ".prettierrc": '{ "semi": false, "singleQuote": true, "tabWidth": 4, "printWidth": 100 }\n' },
    write: ["prettier/bin/prettier.cjs", "--write", "--log-level=warn", "."],
    check: ["prettier/bin/prettier.cjs", "--check", "--log-level=warn", "."],
  },
  {
    name: "Prettier with its defaults",
    packages: ["prettier"],
    settings: { ".prettierrc": "{}\n" },
    write: ["prettier/bin/prettier.cjs", "--write", "--log-level=warn", "."],
    check: ["prettier/bin/prettier.cjs", "--check", "--log-level=warn", "."],
  },
  {
    name: "Prettier, beside a Biome that only lints",
    packages: ["prettier", "@biomejs"],
    settings: {
      ".prettierrc": '{ "semi": false, "arrowParens": "avoid" }\n',
      "biome.json": '{ "formatter": { "enabled": false } }\n',
    },
    write: ["prettier/bin/prettier.cjs", "--write", "--log-level=warn", "."],
    check: ["prettier/bin/prettier.cjs", "--check", "--log-level=warn", "."],
  },
  {
    name: "Biome with tabs and single quotes",
    packages: ["@biomejs"],
    settings: {
      "biome.json": JSON.stringify({
        files: { includes: ["**", "!**/.session-app.json"] },
        linter: { enabled: false },
        formatter: { indentStyle: "tab", lineWidth: 80 },
        javascript: { formatter: { quoteStyle: "single", semicolons: "asNeeded", trailingCommas: "none" } },
      }),
    },
    write: ["@biomejs/biome/bin/biome", "check", "--write", "."],
    check: ["@biomejs/biome/bin/biome", "check", "."],
  },
];

function run(project: Project, [program = "", ...parameters]: string[]): void {
  execFileSync(process.execPath, [join(repository, "node_modules", program), ...parameters], {
    cwd: project.root,
    stdio: ["ignore", "ignore", "pipe"],
  });
}

async function formattedProject({ packages, settings, write }: Formatter, installed = true): Promise<Project> {
  const project = await first.create(["-f", "express", "-b", "postgres"]);
  mkdirSync(join(project.root, "node_modules"));
  for (const name of installed ? packages : []) {
    symlinkSync(join(repository, "node_modules", name), join(project.root, "node_modules", name));
  }
  for (const [path, text] of Object.entries(settings)) project.write(path, text);
  // As projects do that leave the record to the tool that writes it.
  project.write(".prettierignore", ".session-app.json\n");
  run(project, write);
  project.commit();
  return project;
}

async function update(project: Project) {
  const { code, stdout, stderr } = await second.run(["update", "--no-install"], project.root, OFFLINE);
  return { code, stdout, stderr };
}

describe.each(formatters)("a project formatted by $name", (formatter) => {
  test("L2: merges as if it were formatted as it was generated, and stays formatted", {
    timeout: 5 * MINUTES,
  }, async () => {
    const project = await formattedProject(formatter);
    project.edit("src/routes.ts", append("// Mine.\n"));
    project.edit("src/main.ts", (text) => `// Mine.\n${text}`);
    project.edit("src/config.ts", append("// Mine.\n"));
    project.commit();
    const { code, stdout, stderr } = await update(project);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("src/main.ts: merged with your changes\n");
    // Only its format was theirs.
    expect(stdout).not.toContain("src/session/cookie.ts: merged");
    expect(stdout).toContain("3 files that you have not edited: brought to this version\n");
    expect(existsSync(join(project.root, "src/http/gone.ts"))).toBe(false);
    run(project, formatter.check);

    // The same work on what this version generates comes out the same.
    const fresh = await second.create(["-f", "express", "-b", "postgres"], { git: false });
    for (const [path, text] of Object.entries(formatter.settings)) fresh.write(path, text);
    run(fresh, formatter.write);
    expect(project.read("src/session/cookie.ts")).toBe(fresh.read("src/session/cookie.ts"));
    expect(project.read("src/main.ts")).toBe(`// Mine.\n${fresh.read("src/main.ts")}`);
    expect(project.read("src/config.ts")).toBe(`${fresh.read("src/config.ts")}// Mine.\n`);

    project.commit();
    const again = await update(project);
    expect(again).toMatchObject({ code: 0, stdout: '✔ "app" is up to date with 0.4.0.\n' });
  });
});

test("L3: without its formatter there are conflicts", async () => {
  const project = await formattedProject(formatters[0] as Formatter, false);
  expect(await update(project)).toMatchObject({ code: 1, stderr: expect.stringContaining("src/config.ts") });
});

test("L3: a formatter that fails is named, and files are merged as they are", async () => {
  const project = await formattedProject(formatters[0] as Formatter);
  project.write(".prettierrc", "{ semi\n");
  project.commit();
  const { code, stderr } = await update(project);
  expect(code).toBe(1);
  expect(stderr).toMatch(/Prettier failed, so files are merged as they are: /);
  expect(readFileSync(join(project.root, "src/main.ts"), "utf8")).toContain("<<<<<<< yours");
});

test("L3: so is one that is installed but broken", async () => {
  const project = await formattedProject(formatters[0] as Formatter, false);
  project.write("node_modules/prettier/package.json", '{ "main": "index.cjs" }');
  project.write("node_modules/prettier/index.cjs", 'throw new Error("it is broken");\n');
  const { code, stderr } = await update(project);
  expect(code).toBe(1);
  expect(stderr).toContain("Prettier failed, so files are merged as they are: it is broken\n");
});
