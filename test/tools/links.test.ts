// The links of this repository's pages. Those of generated projects are in test/generator/texts.test.ts.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repository } from "../../scripts/packs.ts";
import { brokenLinks } from "./links.ts";

test("every link of a page leads to a file and a heading that are there", () => {
  const listed = execFileSync("git", ["ls-files", "-z", "*.md"], { cwd: repository, encoding: "utf8" });
  const paths = listed.split("\0").filter((path) => path !== "" && existsSync(join(repository, path)));
  const pages = new Map(paths.map((path) => [path, readFileSync(join(repository, path), "utf8")]));
  expect(pages.size).toBeGreaterThan(50);
  expect(brokenLinks(pages, (path) => existsSync(join(repository, path)))).toEqual([]);
});

test("a missing file, a missing heading and a missing image are found", () => {
  const pages = new Map([
    ["docs/a.md", "# A `b`\n\n[1](b.md) [2](#a-b) [3](#c) [4](c.md#top) ![5](d.png) [6](https://example.org/e)"],
    ["docs/c.md", "# Top"],
  ]);
  expect(brokenLinks(pages, (path) => pages.has(path))).toEqual([
    "docs/a.md: b.md",
    "docs/a.md: #c",
    "docs/a.md: d.png",
  ]);
});
