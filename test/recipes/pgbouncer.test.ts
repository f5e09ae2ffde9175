// PgBouncer in transaction mode, as its recipe configures it, before a PostgreSQL of the test's own.
import type { EventEmitter } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client as Postgres } from "pg";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { freePort } from "../generator/registry.ts";
import { giveToNobody, program } from "../servers/machine.ts";
import { type FreshServer, freshServer } from "../servers/server.ts";
import { Unit } from "../servers/unit.ts";
import { Client } from "./client.ts";
import { readPage } from "./page.ts";
import { followRecipe, start } from "./project.ts";

let its: FreshServer | undefined;

beforeAll(async () => {
  its = await freshServer("postgres");
  if (its === undefined) return;
  await query(its.url, "CREATE ROLE app LOGIN PASSWORD 'password'");
});

beforeEach(async (context) => {
  if (its === undefined) return context.skip("no postgres here");
  await query(its.url, "DROP DATABASE IF EXISTS shop WITH (FORCE)");
  await query(its.url, "CREATE DATABASE shop OWNER app");
});

afterAll(async () => await its?.stop());

/** The first column of all rows. */
async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Postgres({ connectionString: url });
  await client.connect();
  try {
    const results = [await client.query({ text: sql, rowMode: "array" })].flat();
    return results.flatMap(({ rows = [] }) => rows.map(([first]) => first));
  } finally {
    await client.end();
  }
}

/** A client of PgBouncer, closed when the test ends. It waits for a connection to PostgreSQL as long as a machine may take that does much else. */
async function connect(url: string): Promise<Postgres> {
  const client = new Postgres({ connectionString: url, query_timeout: 20_000 });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

/** Starts PgBouncer with the project's pgbouncer.ini. Resolves to the URL of the app's settings, with the port that was free. */
async function startPgBouncer(project: string, server: URL): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "pgbouncer-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  await giveToNobody(folder);
  const [users, configuration, port] = [join(folder, "userlist.txt"), join(folder, "pgbouncer.ini"), await freePort()];
  const page = readFileSync(join(project, "pgbouncer.ini"), "utf8");
  const [host, places] = [
    `host=${server.hostname} port=${server.port}`,
    ["host=127.0.0.1 port=5432", "6432", "/etc/pgbouncer/userlist.txt"],
  ];
  for (const place of places) expect(page).toContain(place);
  const own = page
    .replace(places[0] ?? "", host)
    .replace("6432", String(port))
    .replace(places[2] ?? "", users)
    // For SHOW POOLS.
    .concat("stats_users = app\n");
  writeFileSync(users, '"app" "password"\n');
  writeFileSync(configuration, own);
  await Promise.all([users, configuration].map(giveToNobody));
  const unit = new Unit({
    command: [program("pgbouncer", "apt-get install pgbouncer"), configuration],
    unprivileged: true,
    ready: (output) => /process up/.test(output),
    stopSignal: "SIGINT",
  });
  onTestFinished(() => unit.stop());
  await unit.start();
  const [, url = ""] = /^DATABASE_URL=(.*)$/m.exec(readFileSync(join(project, ".env"), "utf8")) ?? [];
  expect(url).toContain(":6432/");
  return url.replace(":6432/", `:${port}/`);
}

test.each(readPage("pgbouncer").frameworks)(
  "F7 F8: several processes of %s share PgBouncer's few connections, and lose nothing",
  async (framework) => {
    const server = new URL(its?.url ?? "");
    const project = await followRecipe({ page: "pgbouncer", framework, backend: "postgres" });
    await query(server.href, readFileSync(join(project, "pgbouncer.sql"), "utf8"));
    const pooled = await startPgBouncer(project, server);

    const apps = await Promise.all(Array.from({ length: 3 }, () => start(project, { DATABASE_URL: pooled })));
    const [first] = apps.map(({ url }) => new Client(url));
    await first?.post("/login", { userid: "ada", password: "demo" });
    const headers = { cookie: first?.cookie ?? "" };
    const visits = await Promise.all(
      Array.from({ length: 60 }, (_, count) =>
        new Client(apps[count % apps.length]?.url ?? "").get("/visits", headers),
      ),
    );
    expect(visits.map(({ status }) => status)).toEqual(visits.map(() => 200));
    expect((await first?.get("/session"))?.json.data.visits).toBe(60);
    const [connections] = await query(server.href, "SELECT count(*)::int FROM pg_stat_activity WHERE usename = 'app'");
    expect(connections).toBeLessThanOrEqual(10);
    expect(await query(pooled, "SHOW lock_timeout")).toEqual(["500ms"]);
    expect(await query(pooled, "SHOW statement_timeout")).toEqual(["4500ms"]);

    await first?.post("/logout");
    const gone = await Promise.all(apps.map(({ url }) => new Client(url).get("/session", headers)));
    expect(gone.map(({ status }) => status)).toEqual([404, 404, 404]);
  },
);

test("F8: many clients share ten connections, each for one transaction", async () => {
  const project = await followRecipe({ page: "pgbouncer", framework: "node", backend: "postgres" });
  const pooled = await startPgBouncer(project, new URL(its?.url ?? ""));
  const console = await connect(pooled.replace(/\/shop$/, "/pgbouncer"));
  const pool = async () => {
    const { rows } = await console.query("SHOW POOLS");
    const { sv_active, sv_login, cl_waiting } = rows.find(({ database }) => database === "shop");
    return { active: Number(sv_active), connecting: Number(sv_login), waiting: Number(cl_waiting) };
  };
  // More than PgBouncer takes by itself.
  const clients = await Promise.all(Array.from({ length: 101 }, () => connect(pooled)));
  const [first, ...others] = clients.splice(0, 10);
  for (const client of [first, ...others]) await client?.query("BEGIN");
  const waiting = clients[0]?.query("SELECT 1 AS one");
  const full = { active: 10, connecting: 0, waiting: 1 };
  await expect.poll(pool, { timeout: 10_000 }).toEqual(full);
  // PgBouncer opens connections after it has looked at all messages: it would be doing so by now.
  expect(await pool()).toEqual(full);
  // It stays connected: only its transaction is over.
  await first?.query("COMMIT");
  expect((await waiting)?.rows).toEqual([{ one: 1 }]);
});

test("the password is proved by SCRAM, and never sent", async () => {
  const project = await followRecipe({ page: "pgbouncer", framework: "node", backend: "postgres" });
  const pooled = await startPgBouncer(project, new URL(its?.url ?? ""));
  const client = new Postgres({ connectionString: pooled });
  const requested: string[] = [];
  const { connection } = client as unknown as { connection: EventEmitter };
  for (const kind of ["authenticationCleartextPassword", "authenticationMD5Password", "authenticationSASL"]) {
    connection.on(kind, () => requested.push(kind));
  }
  await client.connect();
  await client.end();
  expect(requested).toEqual(["authenticationSASL"]);
});

test("F11: without PG_POOLER the start fails, and says what to set", async () => {
  const server = new URL(its?.url ?? "");
  const project = await followRecipe({ page: "pgbouncer", framework: "node", backend: "postgres" });
  const pooled = await startPgBouncer(project, server);
  const variables = { DATABASE_URL: pooled, PG_POOLER: "false", SESSION_START_TIMEOUT: "1" };
  await expect(start(project, variables)).rejects.toThrow("PG_POOLER");
});
