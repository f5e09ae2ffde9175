// The README's recipe "Add a column", followed in projects: the compiler names each place, and the value comes back from the store.
// Change it when the recipe changes.

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { packs, repository } from "../../scripts/packs.ts";
import { assemble } from "../http/assemble.ts";
import { Project } from "../http/project.ts";
import { server } from "../servers/server.ts";
import type { Fixture } from "./fixture.ts";

const run = promisify(execFile);

async function edit(folder: string, file: string, from: string | RegExp, to: string): Promise<void> {
  const before = await readFile(join(folder, file), "utf8");
  const after = before.replace(from, to);
  expect(after, file).not.toBe(before);
  await writeFile(join(folder, file), after);
}

/** The files that the compiler complains about. */
async function complaints(folder: string): Promise<string[]> {
  const tsc = join(repository, "node_modules", ".bin", "tsc");
  const output = await run(tsc, ["-p", folder, "--pretty", "false"]).then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout: string }) => stdout,
  );
  return [...new Set([...output.matchAll(/^(?:\S*\/)?(src\/[^(\n]+)\(/gm)].map(([, file = ""]) => file))].sort();
}

async function fixtureOf(backend: string): Promise<Fixture> {
  const file = join(repository, "templates/backends", backend, "conformance.ts");
  return ((await import(file)) as { default: Fixture }).default;
}

async function withProperty(backend: string): Promise<string> {
  const folder = await assemble({ framework: "node", backend }, "columns");
  expect(await complaints(folder)).toEqual([]);
  await edit(folder, "src/session/contract.ts", "  version: number;\n", "  version: number;\n  tenant: string;\n");
  return folder;
}

test.each(packs("backends"))(
  "P10: a new property of sessions on %s: the compiler names what lacks it",
  async (backend) => {
    const named = await complaints(await withProperty(backend));
    expect(named).toContain("src/session/unit-of-work.ts");
    const fixture = await fixtureOf(backend);
    // What is kept in this process is kept as it is.
    const ofStore = named.filter((file) => file !== "src/session/unit-of-work.ts");
    expect(ofStore.length > 0, named.join()).toBe(fixture.capabilities.sharedStore);
  },
);

/** Where the column's name goes, and where its value is read if that is another place. */
const EDITS: Record<string, [file: string, from: string | RegExp, to: string][]> = {
  sqlite: [["driver.ts", /(?<=const COLUMN_OF: .* = \{)/, ' tenant: "tenant",']],
  postgres: [["driver.ts", /(?<=const COLUMN_OF: .* = \{)/, ' tenant: ["tenant", TEXT],']],
  mysql: [
    ["mysql-schema.ts", /(?<=const COLUMN_OF: .* = \{)/, ' tenant: "tenant",'],
    ["driver.ts", "  return {\n    id,", "  return {\n    tenant: String(row.tenant),\n    id,"],
  ],
};

test.for(Object.keys(EDITS))(
  "P10: a column that is added on %s as the README says is stored and comes back",
  async (backend, context) => {
    const fixture = await fixtureOf(backend);
    const url = fixture.server && (await server(fixture.server))?.url;
    context.skip(fixture.server !== undefined && url === undefined, `no ${fixture.server} server here`);
    const folder = await withProperty(backend);
    await edit(folder, "src/session/unit-of-work.ts", ": SessionRow = {", ': SessionRow = { tenant: "acme",');
    for (const [file, from, to] of EDITS[backend] ?? []) {
      expect(await complaints(folder), "the compiler leads from place to place").toContain(`src/session/${file}`);
      await edit(folder, `src/session/${file}`, from, to);
    }
    expect(await complaints(folder)).toEqual([]);
    await edit(folder, "schema.sql", /(?<=\n {2}version +\w+ +NOT NULL)/, ", tenant TEXT NOT NULL");
    const environment = fixture.environment(url, `t_${randomBytes(6).toString("hex")}`);
    const project = new Project(folder, environment);
    await project.start();
    try {
      const { id } = (await (await fetch(`${project.url}/session`, { method: "POST" })).json()) as { id: string };
      const shown = await run(process.execPath, ["src/cli/sessions.ts", "show", id, "--json"], {
        cwd: folder,
        env: { ...process.env, ...environment },
      });
      expect(JSON.parse(shown.stdout)).toMatchObject({ id, tenant: "acme" });
    } finally {
      await project.stop();
    }
  },
);
