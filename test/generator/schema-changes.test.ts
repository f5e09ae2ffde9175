// Schema changes between versions: where a pack keeps them, and who shows them when.
// Change it when they are shown elsewhere.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { packs } from "../../scripts/packs.ts";
import { repository } from "./sandbox.ts";
import { append, Version } from "./versions.ts";

const CHANGES = `# Schema changes

## 0.5.0

An index for what is new.

\`\`\`sql
CREATE INDEX CONCURRENTLY "sessions_new" ON "sessions" (useragent);
\`\`\`

## 0.4.0

A column for what is new. Rows that exist get its default.

\`\`\`sql
ALTER TABLE "sessions" ADD COLUMN risk integer NOT NULL DEFAULT 0;
\`\`\`
`;

let first: Version;
let third: Version;

beforeAll(() => {
  first = new Version("0.3.0");
  third = new Version("0.5.0", first);
  third.write("templates/backends/postgres/SCHEMA-CHANGES.md", CHANGES);
  third.edit("templates/base/files/src/config.ts", append("// New in 0.5.0.\n"));
});

describe("an update past schema changes", () => {
  test("L9: shows their statements, the oldest first, and says that it runs none", async () => {
    const project = await first.create(["-f", "express", "-b", "postgres"]);
    const { code, stdout } = await third.run(["update", "--no-install"], project.root);
    expect(code).toBe(0);
    expect(stdout).toContain("The schema of PostgreSQL has changed. Nothing here runs these statements");
    expect(stdout).toMatch(
      /Since 0\.4\.0:[\s\S]*ALTER TABLE "sessions" ADD COLUMN risk[\s\S]*Since 0\.5\.0:[\s\S]*CREATE INDEX/,
    );
    project.commit();
    expect((await third.run(["update", "--no-install"], project.root)).stdout).not.toContain("schema");
  });

  test("L9: shows them before anything is written, as JSON, and once more when conflicts are settled", async () => {
    const project = await first.create(["-f", "express", "-b", "postgres"]);
    project.edit("src/config.ts", append("// Mine.\n"));
    project.commit();
    const dry = await third.run(["update", "--dry-run", "--json"], project.root);
    expect(JSON.parse(dry.stdout).schemaChanges.map(({ version }: { version: string }) => version)).toEqual([
      "0.5.0",
      "0.4.0",
    ]);
    expect((await third.run(["update", "--no-install"], project.root)).code).toBe(1);
    project.edit("src/config.ts", (text) => text.replace(/^<<<<<<<.*\n|^=======\n|^>>>>>>>.*\n/gm, ""));
    const done = await third.run(["update", "--continue", "--no-install"], project.root);
    expect(done.code).toBe(0);
    expect(done.stdout).toContain("ADD COLUMN risk");
  });

  test("L9: says nothing to projects with another backend", async () => {
    const project = await first.create(["-f", "express", "-b", "sqlite"]);
    const { stdout } = await third.run(["update", "--no-install"], project.root);
    expect(stdout).toContain("Updated");
    expect(stdout).not.toContain("schema");
  });

  test("L8 L9: doctor names those that are to come, and says that it can't look into the store", async () => {
    const project = await first.create(["-f", "express", "-b", "postgres"]);
    const { stdout } = await third.run(["doctor"], project.root);
    expect(stdout).toContain("The schema of PostgreSQL has changed in 0.5.0, 0.4.0. An update shows the statements.");
    expect(stdout).toContain("can't be seen from here");
  });
});

test.each(packs("backends"))("L9: the schema changes of %s are of versions that the changelog has", (id) => {
  const file = join(repository, "templates/backends", id, "SCHEMA-CHANGES.md");
  if (!existsSync(file)) return;
  const versions = (path: string) =>
    [...readFileSync(path, "utf8").matchAll(/^## (\d+\.\d+\.\d+)/gm)].map(([, version]) => version);
  expect(versions(join(repository, "CHANGELOG.md"))).toEqual(expect.arrayContaining(versions(file)));
});
