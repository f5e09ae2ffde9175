// The pages as such: each has a test, and stands in the table with the versions that it was tested with.
// Change it when the table gets another column.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packs } from "../../scripts/packs.ts";
import { applyDiff, readPages, recipes } from "./page.ts";
import { followRecipe } from "./project.ts";

/** Frameworks with a build of their own: their pages take parts from all others. */
const isBuilt = (framework: string) => !packs("frameworks").includes(framework);

const table = readFileSync(join(recipes, "README.md"), "utf8");

test("every page is in the table, and what it was tested with", () => {
  for (const { name, versions } of readPages()) {
    expect(table).toContain(`](${name}.md)`);
    for (const [title, version] of Object.entries(versions)) {
      // Frameworks have no row of their own; the other end's packages neither.
      if (/^(express|fastify|koa|oidc-provider|samlp)$/.test(title)) continue;
      const row = table
        .split("\n")
        .find((line) => line.startsWith("|") && line.includes(`${title}`) && line.includes(version));
      expect(row, `${title} ${version}`).toBeDefined();
    }
  }
});

test("whatever a page installs is in the table", () => {
  for (const { name, dependencies, devDependencies } of readPages()) {
    const packages = [...dependencies, ...devDependencies].map((each) => each.replace(/(?<=.)@.*$/, ""));
    // Types go with the package that they describe; the other two are dependencies of the sessions themselves.
    const own = /^(@types\/.*|better-sqlite3|cookie)$/;
    for (const each of packages.filter((one) => !own.test(one))) expect(table, name).toContain(each);
  }
});

test("every page is followed by a test", () => {
  const tests = readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => readFileSync(join(import.meta.dirname, file), "utf8"))
    .join("\n");
  const pages = readPages();
  const foundations = pages.flatMap((page) => page.foundations);
  for (const { name } of pages) {
    if (!foundations.includes(name)) expect(tests, name).toContain(`page: "${name}"`);
  }
});

test("a page for one framework sends nobody to another framework's page, unless the link says which it is for", () => {
  const wrong: string[] = [];
  const pages = new Map(readPages().map((page) => [page.name, page]));
  for (const page of pages.values()) {
    const text = readFileSync(join(recipes, `${page.name}.md`), "utf8");
    for (const [link, title = "", target = ""] of text.matchAll(/\[([^\]]+)\]\(([\w-]+)\.md(?:#[\w-]*)?\)/g)) {
      const { frameworks = [], titles = [] } = pages.get(target) ?? {};
      const isFor = (framework: string) => frameworks.includes(framework) || isBuilt(framework);
      const names = frameworks.some(isBuilt) || titles.every((each) => title.includes(each));
      if (!page.frameworks.every(isFor) && !names) wrong.push(`${page.name}.md: ${link}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("a diff whose place is missing or ambiguous is refused", () => {
  expect(applyDiff("a\nb\nc\n", " a\n-b\n+B\n", "x")).toBe("a\nB\nc\n");
  expect(applyDiff("a\nb\n", "+0\n a\n@@\n b\n+c\n", "x")).toBe("0\na\nb\nc\n");
  expect(() => applyDiff("a\na\n", " a\n+b\n", "x")).toThrow("2 times");
  expect(() => applyDiff("a\n", " b\n+c\n", "x")).toThrow("0 times");
  expect(() => applyDiff("a\n", "+c\n", "x")).toThrow("0 times");
});

test("@types/express-session is what the table says of it", async () => {
  // It is installed by another name: with its own, packages such as connect-redis would find it as well.
  const files = { "src/old.ts": 'import type {} from "express-session-types";\n' };
  const recipe = { page: "adopt-express-session", framework: "express", files };
  await expect(followRecipe(recipe)).rejects.toThrow("incorrectly extends interface 'Request'");
});
