// The README's recipe "Add a column", followed in a project of every backend: what is declared is stored, changed and listed.
// Nothing to change here for a new backend: what its schema needs is said in its conformance.ts.

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, expect, test } from "vitest";
import type { SessionDriver, SessionRow } from "../../runtime/src/session/contract.ts";
import { packs, repository } from "../../scripts/packs.ts";
import { Environment } from "../../templates/base/files/src/http/environment.ts";
import { assemble } from "../http/assemble.ts";
import { Project } from "../http/project.ts";
import { server } from "../servers/server.ts";
import type { Fixture } from "./fixture.ts";
import { fixtureOf } from "./fixtures.ts";
import { comparable, createRow, existing, infoOf, START } from "./rows.ts";

const now = START;
const drivers: SessionDriver[] = [];

afterEach(async () => await Promise.all(drivers.splice(0).map((driver) => driver.close())));

async function edit(folder: string, file: string, from: string | RegExp, to: string): Promise<void> {
  const before = await readFile(join(folder, file), "utf8");
  const after = before.replace(from, to);
  expect(after, file).not.toBe(before);
  await writeFile(join(folder, file), after);
}

/** A project whose sessions have a text `tenant` and a number `seats`, which may be null. */
async function withColumns(backend: string, { columnEdit }: Fixture): Promise<string> {
  const folder = await assemble({ framework: "node", backend }, "columns");
  const file = "src/session-columns.ts";
  await edit(folder, file, "SessionColumns {}", "SessionColumns { tenant: string; seats: number | null }");
  await edit(folder, file, "SessionColumns = {}", 'SessionColumns = { tenant: "none", seats: null }');
  if (columnEdit) await edit(folder, columnEdit.file, columnEdit.before, columnEdit.declarations + columnEdit.before);
  return folder;
}

/** The variables of a store of the project's own, with paths below its folder. */
function variablesOf(fixture: Fixture, url: string | undefined, folder: string): Record<string, string> {
  const variables = fixture.environment(url, `t_${randomBytes(6).toString("hex")}`);
  const absolute = (value: string) => (value.startsWith("./") ? join(folder, value) : value);
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, absolute(value)]));
}

async function openDriver(folder: string, variables: Record<string, string>): Promise<SessionDriver> {
  const { readStoreSettings } = await import(join(folder, "src/store/settings.ts"));
  const { createDriver } = await import(join(folder, "src/store/driver.ts"));
  const driver: SessionDriver = createDriver(readStoreSettings(new Environment(variables)), 5000);
  drivers.push(driver);
  return driver;
}

function columns(tenant: string, seats: number | null): SessionRow["columns"] {
  return { tenant, seats } as SessionRow["columns"];
}

test.for(packs("backends"))(
  "P10: columns of the app's own on %s come back as they were set, alone or with other changes, and are listed",
  async (backend, context) => {
    const fixture = await fixtureOf(backend);
    const url = fixture.server && (await server(fixture.server))?.url;
    context.skip(fixture.server !== undefined && url === undefined, `no ${fixture.server} server here`);
    const folder = await withColumns(backend, fixture);
    const variables = variablesOf(fixture, url, folder);
    const a = await openDriver(folder, variables);
    const b = fixture.capabilities.sharedStore ? await openDriver(folder, variables) : a;
    await a.setup();

    const row = await createRow(a, { userid: "alice", columns: columns("acmé '\"\\ 😀", null), data: '{"a":1}' });
    expect((await existing(b, row.id)).columns).toEqual(row.columns);
    expect(await b.listByUser("alice", now, 10)).toEqual([infoOf(row)]);
    expect((await Array.fromAsync(b.all(now))).flat()).toEqual([infoOf(row)]);

    expect(await b.change(row.id, { now, columns: { seats: 9_000_000_000 } as object })).toBe("done");
    expect(comparable(await existing(a, row.id))).toEqual(
      comparable({ ...row, columns: columns("acmé '\"\\ 😀", 9_000_000_000) }),
    );
    const change = { now, columns: columns("other", null), userid: "bob", set: new Map([["b", "2"]]) };
    const { version } = await existing(a, row.id);
    expect(await a.change(row.id, { ...change, ifVersion: version + 1 })).toBe("conflict");
    expect(await a.change(row.id, { ...change, ifVersion: version })).toBe("done");
    const changed = await existing(b, row.id);
    expect(changed).toMatchObject({ columns: columns("other", null), userid: "bob" });
    expect(JSON.parse(changed.data)).toEqual({ a: 1, b: 2 });

    const touch = { lifetime: 10_000, every: 60, secretHash: row.secretHash };
    expect((await a.read(row.id, { now: now + 600, touch }))?.columns).toEqual(columns("other", null));
    expect(await b.change(row.id, { now: now + 600, touch })).toBe("done");
    expect((await b.listByUser("bob", now, 10))[0]?.columns).toEqual(columns("other", null));
  },
);

/** A route that sets the columns of its session from the query, and shows them. */
const ROUTES = `
import { sendJson } from "./http/respond.ts";
import type { Router } from "./http/router.ts";

export function addRoutes(router: Router): void {
  router.on("GET", "/columns", async ({ request, response, session }) => {
    const query = new URL(request.url ?? "", "http://localhost").searchParams;
    const tenant: string | null = query.get("tenant");
    const seats = query.get("seats");
    if (query.has("user")) await session.signIn("alice");
    if (tenant !== null) session.columns.tenant = tenant;
    if (seats !== null) session.columns.seats = seats === "" ? null : Number(seats);
    sendJson(response, session.columns);
  });
}
`;

test.for(packs("backends"))(
  "P10: columns that are declared in a project with %s are typed in handlers, read there, set and saved",
  async (backend, context) => {
    const fixture = await fixtureOf(backend);
    const url = fixture.server && (await server(fixture.server))?.url;
    context.skip(fixture.server !== undefined && url === undefined, `no ${fixture.server} server here`);
    const folder = await withColumns(backend, fixture);
    await writeFile(join(folder, "src/routes.ts"), ROUTES);
    const tsc = join(repository, "node_modules", ".bin", "tsc");
    const compiled = promisify(execFile)(tsc, ["-p", folder, "--pretty", "false"]).catch(
      ({ stdout }: { stdout: string }) => ({ stdout }),
    );
    expect((await compiled).stdout).toBe("");

    const project = new Project(folder, variablesOf(fixture, url, folder));
    await project.start();
    try {
      let cookie = "";
      const get = async (query: string): Promise<unknown> => {
        const response = await fetch(`${project.url}/columns${query}`, { headers: { cookie } });
        const [set] = response.headers.getSetCookie();
        if (set !== undefined) cookie = set.split(";", 1)[0] as string;
        return await response.json();
      };
      expect(await get("")).toEqual({ tenant: "none", seats: null });
      expect(await get("?tenant=acm%C3%A9")).toMatchObject({ tenant: "acmé", seats: null });
      expect(await get("?seats=12")).toMatchObject({ tenant: "acmé", seats: 12 });
      expect(await get("?user&tenant=other")).toMatchObject({ tenant: "other", seats: 12 });
      expect(await get("?seats=")).toEqual({ tenant: "other", seats: null });
      if (fixture.capabilities.sharedStore) {
        await project.restart();
        expect(await get("")).toEqual({ tenant: "other", seats: null });
      }
    } finally {
      await project.stop();
    }
  },
);
