// The text of the files that people read, in every project: nothing that a template has left behind.
// Change it when a template has conditions that no choice here covers.
import { describe, expect, test } from "vitest";
import type { Choice } from "../../create-session-app/src/project/choice.ts";
import { pairs } from "../../scripts/packs.ts";
import { brokenLinks } from "../tools/links.ts";
import { pack, plan, real, text } from "./plans.ts";

const { frameworks, backends } = real.catalog;

/** Two blank lines, spaces at the end of a line, and headings with nothing under them. */
function residue(path: string, content: string): string[] {
  const pattern = path.endsWith(".md") ? /\n\n\n|[ \t]+$|^#+ .+\n+(?=#)/gm : /\n\n\n|[ \t]+$/gm;
  return [...content.matchAll(pattern)].map(([match]) => `${path}: ${JSON.stringify(match)}`);
}

/** Table rows that have more or fewer cells than the row above them. */
function brokenRows(path: string, content: string): string[] {
  const cells = (line: string) =>
    line
      .replaceAll("\\|", "")
      .replaceAll(/`[^`]*`/g, "")
      .split("|").length;
  const lines = content.split("\n");
  return lines
    .filter((line, index) => {
      const above = lines[index - 1] ?? "";
      return line.startsWith("|") && above.startsWith("|") && cells(line) !== cells(above);
    })
    .map((line) => `${path}: ${line}`);
}

describe.each(pairs())("$framework with $backend", ({ framework, backend }) => {
  const previous = pack(backends, backend === "postgres" ? "sqlite" : "postgres");
  const parts = { framework: pack(frameworks, framework), backend: pack(backends, backend) };
  test.each<[string, Partial<Choice>]>([
    ["as it is", {}],
    ["without the example", { minimal: true }],
    ["in a workspace, with pnpm", { workspaceMember: true, packageManager: "pnpm" }],
    ...(backend === "memory" ? [] : [["with the store that it had before", { previous }] as [string, Partial<Choice>]]),
  ])(
    "P9 P10: no blank lines, spaces, empty sections, broken tables or broken links are left by a template, %s",
    async (_name, changes) => {
      const files = await plan({ ...parts, ...changes }, real);
      const wrong = [...files.keys()]
        .filter((path) => /(\.(md|ts|json|sql|css|yaml)|Dockerfile|example|ignore)$/.test(path))
        .flatMap((path) => {
          const content = text(files, path);
          return [...residue(path, content), ...brokenRows(path, content)];
        });
      expect(wrong).toEqual([]);
      const pages = [...files.keys()].filter((path) => path.endsWith(".md"));
      const isFile = (path: string) => [...files.keys()].some((file) => file === path || file.startsWith(`${path}/`));
      expect(brokenLinks(new Map(pages.map((path) => [path, text(files, path)])), isFile)).toEqual([]);
    },
  );
});
