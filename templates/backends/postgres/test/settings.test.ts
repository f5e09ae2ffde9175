// What the PostgreSQL driver says of wrong settings: one line, the setting's name, never the password.
// Change it when a setting is added, or an error gets another line.

import type { Socket } from "node:net";
import { Client } from "pg";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { StoreUnavailable } from "../../../../runtime/src/session/contract.ts";
import { failure, listen, PASSWORD } from "../../../../test/drivers/broken.ts";
import { createRow, START, set } from "../../../../test/drivers/rows.ts";
import { freePorts } from "../../../../test/servers/machine.ts";
import { server } from "../../../../test/servers/server.ts";
import { Environment } from "../../../base/files/src/http/environment.ts";
import { describeStore, readStoreSettings, type StoreSettings } from "../files/src/store/settings.ts";
import { expectRefusal, open, TIMEOUT_MS } from "./support.ts";

const variables = { PGHOST: "127.0.0.1", PGUSER: "app", PGPASSWORD: PASSWORD, PGDATABASE: "app" };
const read = (more: Record<string, string> = {}) => readStoreSettings(new Environment({ ...variables, ...more }));

describe("postgres settings", () => {
  test("P3: the URL and the variables say the same", () => {
    const url = `postgres://app:${encodeURIComponent(PASSWORD)}@127.0.0.1/app`;
    expect(readStoreSettings(new Environment({ DATABASE_URL: url }))).toEqual({ ...read(), fromUrl: true });
    const full = "postgresql://u%40x@[::1]:54320/d%20b?sslmode=verify-full&channel_binding=require";
    expect(read({ DATABASE_URL: full, SESSION_TABLE: "app.my_sessions" })).toMatchObject({
      ...{ host: "::1", port: 54320, user: "u@x", password: "", database: "d b", table: "app.my_sessions" },
      tls: { mode: "verify-full", channelBinding: true },
    });
    expect(read({ DATABASE_URL: "postgres://u@h/d?host=/run/postgresql" }).host).toBe("/run/postgresql");
    expect(read({ DATABASE_URL: "postgres://u@h/d", PGSSLMODE: "require" }).tls.mode).toBe("require");
    expect(describeStore(read({ DATABASE_URL: url }))).toBe("PostgreSQL at 127.0.0.1:5432/app");
    expect(describeStore(read({ PGHOST: "::1" }))).toBe("PostgreSQL at [::1]:5432/app");
  });

  test.each([
    ["postgresql://app:pw@/app?host=/cloudsql/project:region:one", "/cloudsql/project:region:one", "pw"],
    ["postgres://app@/app?host=/run/postgresql", "/run/postgresql", ""],
    ["postgresql:///app?host=/run/postgresql&user=app&password=p%20w", "/run/postgresql", "p w"],
    ["postgres://app:pw@/app", "localhost", "pw"],
    ["postgres:///app?user=app", "localhost", ""],
  ])("P3: libpq's URL for a socket, %s", (url, host, password) => {
    expect(read({ DATABASE_URL: url })).toMatchObject({ host, user: "app", password, database: "app", port: 5432 });
  });

  test("P3: with an authority given, the certificate is checked", () => {
    const PGSSLROOTCERT = import.meta.filename;
    expect(read({ PGSSLROOTCERT }).tls).toMatchObject({ mode: "verify-full", ca: expect.stringContaining("PGSSL") });
    expect(read({ PGSSLROOTCERT, PGSSLMODE: "require" }).tls.mode).toBe("verify-ca");
    expect(read({ PGSSLROOTCERT: "system" }).tls).toEqual({ mode: "verify-full", channelBinding: false });
  });

  test.each([
    ["PGUSER", { PGUSER: "" }],
    ["PGDATABASE", { PGDATABASE: "" }],
    ["PGPORT", { PGPORT: "70000" }],
    ["PGHOST", { PGHOST: "one,two" }],
    ["PGSSLMODE", { PGSSLMODE: "prefer" }],
    ["PGSSLMODE", { PGSSLMODE: "require", PGSSLROOTCERT: "system" }],
    ["PGSSLMODE", { PGSSLMODE: "verify-ca", PGSSLROOTCERT: "system" }],
    ["DATABASE_URL", { DATABASE_URL: "postgres://u:p@h/d?sslmode=require&sslrootcert=system" }],
    ["DATABASE_URL", { DATABASE_URL: "postgres:///app?host=/run/postgresql" }],
    ["PGSSLROOTCERT", { PGSSLROOTCERT: "./no-such-file.pem" }],
    ["PG_CONNECTIONS", { PG_CONNECTIONS: "0" }],
    ["SESSION_TABLE", { SESSION_TABLE: 'sessions"; DROP TABLE users; --' }],
    ["SESSION_TABLE", { SESSION_TABLE: "a.b.c" }],
    ["SESSION_TABLE", { SESSION_TABLE: "x".repeat(53) }],
    ["SESSION_TABLE", { SESSION_TABLE: "sessions\n" }],
    ["DATABASE_URL", { DATABASE_URL: `mysql://app:${PASSWORD}@h/d` }],
    ["DATABASE_URL", { DATABASE_URL: "postgres://u:%zz@h/d" }],
    ["DATABASE_URL", { DATABASE_URL: "postgres://u:p@h" }],
    ["DATABASE_URL", { DATABASE_URL: "postgres://u:p@h/d?sslmode=maybe" }],
    ["DATABASE_URL", { DATABASE_URL: "postgres://u:p@h/d?sslrootcert=no-such-file.pem" }],
    ["DATABASE_URL", { DATABASE_URL: "postgres://u:p@h/d?schema=app" }],
  ])("P3, F6: a wrong %s is refused in a line that names it: %o", (name, wrong) => {
    expect(() => read(wrong)).toThrow(expect.objectContaining({ name: "ConfigError" }));
    expect(() => read(wrong)).toThrow(new RegExp(`^${name}[^\\n]{10,200}$`));
    expect(() => read(wrong)).not.toThrow(PASSWORD);
  });

  test("F3: no such host, nothing on the port, no such socket: each names its setting", async () => {
    const [port = 0] = await freePorts(1);
    await expectRefusal(read({ PGHOST: "no-such-host.invalid" }), /no-such-host\.invalid:5432.*; check PGHOST\.$/);
    await expectRefusal(
      read({ PGPORT: String(port) }),
      new RegExp(`127\\.0\\.0\\.1:${port}/app.*ECONNREFUSED.*PGHOST and PGPORT`),
    );
    await expectRefusal(read({ PGPORT: String(port), PGHOST: "localhost" }), /ECONNREFUSED.*PGHOST and PGPORT/);
    await expectRefusal(read({ PGHOST: "/no/such/socket" }), /check PGHOST\.$/);
    const url = `postgres://app:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/app`;
    await expectRefusal(read({ DATABASE_URL: url }), /check the host and port in DATABASE_URL/);
  });

  test.each([
    ["XX000", "Tenant or user not found"],
    ["58000", "the server is elsewhere"],
    ["0A000", "not supported here"],
  ])("F3, P6: a proxy that lets nobody in (%s) is named, with its reason", async (code, reason) => {
    const port = await listen((socket) => {
      const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${reason}\0\0`);
      const head = Buffer.alloc(5, "E");
      head.writeInt32BE(fields.length + 4, 1);
      socket.once("data", () => socket.end(Buffer.concat([head, fields])));
    });
    const line = new RegExp(`^PostgreSQL at 127\\.0\\.0\\.1:${port}/app: ${reason}; check PGUSER and PGHOST\\.$`);
    await expectRefusal(read({ PGPORT: String(port) }), line);
  });

  test("F4: setup and check of a closed store say so", async () => {
    const driver = open(read());
    await driver.close();
    for (const error of await Promise.all([driver.setup(), driver.check()].map(failure))) {
      expect(error.message).toBe("The session store is closed.");
    }
  });

  test.each<[string, (socket: Socket) => void]>([
    ["nothing", () => undefined],
    ["a closed door", (socket) => socket.destroy()],
    ["a banner", (socket) => socket.write("SSH-2.0-OpenSSH_9.2p1\r\n")],
    ["an HTTP error", (socket) => socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")],
    ["Redis", (socket) => socket.write("-ERR unknown command\r\n")],
    ["zeros", (socket) => socket.write(Buffer.alloc(4096))],
    ["noise", (socket) => socket.write(Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 73) % 256)))],
  ])("F3, F6: a port where %s answers is named, within the time, and ends no process", async (_, answer) => {
    const port = await listen(answer);
    const started = performance.now();
    await expectRefusal(read({ PGPORT: String(port) }), /check PGHOST and PGPORT\.$/);
    await expectRefusal(read({ PGPORT: String(port), PGSSLMODE: "require" }), /PGPORT\.$/);
    expect(performance.now() - started).toBeLessThan(TIMEOUT_MS * 3);
  });
});

describe.each(["postgres", "postgres15"] as const)("postgres driver on %s", (name) => {
  let url: string | undefined;
  let settings: StoreSettings;
  const table = `s_${process.pid}`;

  beforeAll(async () => {
    url = (await server(name))?.url;
    if (url) settings = readStoreSettings(new Environment({ DATABASE_URL: url, SESSION_TABLE: table }));
  }, 120_000);

  beforeEach((context) => context.skip(url === undefined, `no ${name} server here`));

  afterEach(async () => {
    if (url) await sql(`DROP TABLE IF EXISTS "${table}"`);
  });

  async function sql(...statements: string[]): Promise<void> {
    const client = new Client({ connectionString: url as string });
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.end();
  }

  async function withUser(grants: string[], work: (its: StoreSettings) => Promise<void>): Promise<void> {
    const user = `u_${process.pid}`;
    await sql(
      `CREATE ROLE ${user} LOGIN PASSWORD '${PASSWORD}'`,
      "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
      ...grants.map((grant) => `GRANT ${grant} TO ${user}`),
    );
    try {
      await work({ ...settings, user, password: PASSWORD, fromUrl: false });
    } finally {
      await sql(`DROP OWNED BY ${user}`, `DROP ROLE ${user}`);
    }
  }

  test("F3: a wrong password, none at all, an unknown user, a missing database: each names its setting", async () => {
    const mine = { ...settings, fromUrl: false };
    const wrong = { ...mine, password: "not-the-password" };
    await expectRefusal(wrong, /authentication failed for user "tester"; check PGUSER and PGPASSWORD\.$/);
    await expectRefusal({ ...wrong, fromUrl: true }, /check the user and password in DATABASE_URL/);
    await expectRefusal({ ...mine, password: "" }, /check PGUSER and PGPASSWORD\.$/);
    await expectRefusal({ ...wrong, user: "nobody-here" }, /"nobody-here"; check PGUSER and PGPASSWORD\.$/);
    await expectRefusal({ ...mine, database: "missing" }, /database "missing" does not exist; check PGDATABASE\.$/);
  });

  test("F3: a user who may not connect to the database is told which settings say so", async () => {
    const database = `d_${process.pid}`;
    await sql(`CREATE DATABASE ${database}`, `REVOKE CONNECT ON DATABASE ${database} FROM PUBLIC`);
    try {
      const line = /permission denied for database "d_\d+"; check PGUSER and PGDATABASE\.$/;
      await withUser([], async (its) => await expectRefusal({ ...its, database }, line));
    } finally {
      await sql(`DROP DATABASE ${database}`);
    }
  });

  test("F3: TLS that the server doesn't offer names its setting", async () => {
    const tls = { mode: "verify-full", channelBinding: false } as const;
    await expectRefusal({ ...settings, tls, fromUrl: false }, /does not support SSL connections; check PGSSLMODE/);
  });

  test("P6: a user who may not create tables is told so, and works with a table that is there", async () => {
    await withUser([], async (its) => {
      const error = await failure(open(its).setup());
      expect(error).not.toBeInstanceOf(StoreUnavailable);
      expect(error.message).toMatch(/permission denied for schema public; check PGUSER and SESSION_TABLE\.$/);
      await open(settings).setup();
      await sql(`GRANT SELECT, INSERT, UPDATE, DELETE ON "${table}" TO ${its.user}`);
      const driver = open(its);
      await driver.setup();
      await driver.check();
      const row = await createRow(driver, { data: '{"a":1}' });
      expect(await driver.change(row.id, { now: START, set: set({ b: 2 }) })).toBe("done");
      expect(await driver.end(row.id)).toBe(true);
    });
  });

  test.each(["SELECT", "INSERT", "UPDATE", "DELETE"])("P6: check finds that %s is not granted", async (lacking) => {
    const others = ["SELECT", "INSERT", "UPDATE", "DELETE"].filter((permission) => permission !== lacking);
    await open(settings).setup();
    await withUser([`${others.join(", ")} ON "${table}"`], async (its) => {
      const { message } = await failure(open(its).check());
      expect(message).toMatch(/permission denied for table .* needs SELECT, INSERT, UPDATE and DELETE on the table\.$/);
    });
  });

  test.each<[string, string[], RegExp]>([
    ["no policy at all", [], /violates row-level security policy/],
    ["a policy for writing only", ["FOR INSERT WITH CHECK (true)"], /let a session be written but not be read/],
    [
      "no policy for deleting",
      ["FOR INSERT WITH CHECK (true)", "FOR SELECT USING (true)", "FOR UPDATE USING (true)"],
      /let a session be written but not be deleted/,
    ],
  ])("F11: row level security with %s is found at the start, and leaves no row", async (_, policies, line) => {
    await open(settings).setup();
    await sql(
      `ALTER TABLE "${table}" ENABLE ROW LEVEL SECURITY`,
      ...policies.map((policy, index) => `CREATE POLICY p${index} ON "${table}" ${policy}`),
    );
    await withUser([`SELECT, INSERT, UPDATE, DELETE ON "${table}"`], async (its) => {
      const error = await failure(open(its).check());
      expect(error).not.toBeInstanceOf(StoreUnavailable);
      expect(error.message).toMatch(line);
      expect(error.message).toContain("SESSION_TABLE");
    });
    expect(await open(settings).stats(START)).toMatchObject({ live: 0, expired: 0 });
  });

  test("F11: a trigger or a constraint that refuses sessions is found at the start, with the server's words", async () => {
    const driver = open(settings);
    await driver.setup();
    await sql(`ALTER TABLE "${table}" ADD CONSTRAINT known CHECK (userid IS NULL)`);
    expect((await failure(driver.check())).message).toMatch(/^SESSION_TABLE s_\d+ can't be used: .*constraint "known"/);
    await sql(
      `ALTER TABLE "${table}" DROP CONSTRAINT known`,
      `CREATE FUNCTION skip_${process.pid}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`,
      `CREATE TRIGGER skip BEFORE INSERT ON "${table}" FOR EACH ROW EXECUTE FUNCTION skip_${process.pid}()`,
    );
    expect((await failure(driver.check())).message).toMatch(
      /^SESSION_TABLE s_\d+: the server let a session be written/,
    );
    await sql(`DROP TABLE "${table}"`, `DROP FUNCTION skip_${process.pid}`);
  });

  test("P6: check names the index that is missing, setup makes it", async () => {
    const driver = open(settings);
    for (const [index, column] of [
      ["by_user", "userid"],
      ["by_expiry", "expires_slot"],
    ]) {
      await driver.setup();
      await sql(`DROP INDEX "${table}_${index}"`);
      expect((await failure(driver.check())).message).toMatch(new RegExp(`has no index on ${column}\\. .*setup`));
      await driver.setup();
      await driver.check();
    }
  });

  test("P6: a table in a schema of its own needs USAGE on it, and no more than the README lists", async () => {
    const [schema, its] = [`x_${process.pid}`, { ...settings, table: `x_${process.pid}.${table}` }];
    await sql(`CREATE SCHEMA ${schema}`);
    try {
      await open(its).setup();
      const grants = [`USAGE ON SCHEMA ${schema}`, `SELECT, INSERT, UPDATE, DELETE ON ${schema}."${table}"`];
      await withUser(grants, async ({ user, password }) => {
        const driver = open({ ...its, user, password });
        await driver.setup();
        await createRow(driver);
      });
    } finally {
      await sql(`DROP SCHEMA ${schema} CASCADE`);
    }
  });

  test("P6 F11 L9: check names the table, the column or the type that isn't as schema.sql has it", async () => {
    const driver = open(settings);
    expect((await failure(driver.check())).message).toMatch(
      /^SESSION_TABLE s_\d+ doesn't exist\. `npm run sessions -- setup`/,
    );
    const cases: [string, RegExp][] = [
      ["DROP COLUMN ipaddress", /column s\.ipaddress does not exist\. Add it by ALTER TABLE/],
      ["DROP COLUMN expires_slot", /column .*expires_slot.* does not exist/],
      ["ALTER idle TYPE integer", /the column idle has another type/],
    ];
    for (const [alteration, line] of cases) {
      await driver.setup();
      await sql(`ALTER TABLE "${table}" ${alteration}`);
      expect((await failure(driver.check())).message).toMatch(line);
      expect((await failure(driver.setup())).message).toMatch(line);
      await sql(`DROP TABLE "${table}"`);
    }
    const gone = await failure(driver.read("x", { now: START }));
    expect(gone.message).toMatch(/relation "s_\d+" does not exist; check SESSION_TABLE\.$/);
    const { message } = await failure(open({ ...settings, table: `nowhere.${table}` }).setup());
    expect(message).toMatch(/schema "nowhere" does not exist; check SESSION_TABLE\.$/);
  });
});
