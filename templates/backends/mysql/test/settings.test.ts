// What the MySQL driver says of wrong settings, missing permissions and a table that isn't as schema.sql has it.
// Change it when a setting is added, or an error gets another line.

import { existsSync } from "node:fs";
import type { Socket } from "node:net";
import { createConnection } from "mysql2/promise";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type SessionDriver, StoreUnavailable } from "../../../../runtime/src/session/contract.ts";
import { drivers, failure, listen, PASSWORD } from "../../../../test/drivers/broken.ts";
import { comparable, createRow, START, set, stored } from "../../../../test/drivers/rows.ts";
import { freePorts } from "../../../../test/servers/machine.ts";
import { server } from "../../../../test/servers/server.ts";
import { Environment } from "../../../base/files/src/http/environment.ts";
import { createDriver } from "../files/src/store/driver.ts";
import { describeStore, readStoreSettings, type StoreSettings } from "../files/src/store/settings.ts";

const TIMEOUT = 1000;

function open(settings: StoreSettings, timeout = TIMEOUT): SessionDriver {
  const driver = createDriver(settings, timeout);
  drivers.push(driver);
  return driver;
}

/** One line that names the setting and not the password, from every call alike. */
async function expectRefusal(settings: StoreSettings, line: RegExp): Promise<void> {
  const driver = open(settings);
  for (const call of ["setup", "check", "ping", "stats"] as const) {
    const error = await failure(driver[call](START));
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(error.message).toMatch(/^[^\n]{10,300}$/);
    expect(error.message).toMatch(line);
    expect(error.message).not.toContain(settings.password || PASSWORD);
  }
}

const variables = { MYSQL_HOST: "127.0.0.1", MYSQL_USER: "app", MYSQL_PASSWORD: PASSWORD, MYSQL_DATABASE: "app" };
const read = (more: Record<string, string> = {}) => readStoreSettings(new Environment({ ...variables, ...more }));

describe("mysql settings", () => {
  test("P3: the URL and the variables say the same", () => {
    const url = `mysql://app:${encodeURIComponent(PASSWORD)}@127.0.0.1/app`;
    expect(readStoreSettings(new Environment({ DATABASE_URL: url }))).toEqual({ ...read(), fromUrl: true });
    expect(read({ DATABASE_URL: "mariadb://u@[::1]:33060/d?ssl-mode=REQUIRED" })).toMatchObject({
      host: "::1",
      port: 33060,
      user: "u",
      password: "",
      database: "d",
      tls: { mode: "unverified" },
    });
    expect(read({ MYSQL_TLS: "on", DATABASE_URL: "mysql://u@h/d" }).tls).toEqual({ mode: "on" });
    expect(describeStore(read({ DATABASE_URL: url }))).toBe("MySQL at 127.0.0.1:3306, database app");
    expect(describeStore(read({ MYSQL_SOCKET: "/tmp/s" }))).toBe("MySQL at /tmp/s, database app");
  });

  test.each([
    ["MYSQL_USER", { MYSQL_USER: "" }],
    ["MYSQL_DATABASE", { MYSQL_DATABASE: "" }],
    ["MYSQL_PORT", { MYSQL_PORT: "70000" }],
    ["MYSQL_TLS", { MYSQL_TLS: "maybe" }],
    ["MYSQL_TLS", { MYSQL_TLS: "./no-such-file.pem" }],
    ["MYSQL_TLS", { MYSQL_TLS: "on", MYSQL_HOST: "10.1.2.3" }],
    ["MYSQL_TLS", { DATABASE_URL: "mysql://u:p@[::1]/d?ssl-mode=VERIFY_IDENTITY" }],
    ["MYSQL_CONNECTIONS", { MYSQL_CONNECTIONS: "0" }],
    ["SESSION_TABLE", { SESSION_TABLE: "sessions`; DROP TABLE users; --" }],
    ["SESSION_TABLE", { SESSION_TABLE: "x".repeat(64) }],
    ["DATABASE_URL", { DATABASE_URL: `postgres://app:${PASSWORD}@h/d` }],
    ["DATABASE_URL", { DATABASE_URL: "mysql://u:%zz@h/d" }],
    ["DATABASE_URL", { DATABASE_URL: "mysql://u:p@h" }],
    ["DATABASE_URL", { DATABASE_URL: "mysql://u:p@h/d?ssl-mode=maybe" }],
    ["DATABASE_URL", { DATABASE_URL: "mysql://u:p@h/d?multipleStatements=true" }],
  ])("P3, F6: a wrong %s is refused in a line that names it: %o", (name, wrong) => {
    expect(() => read(wrong)).toThrow(expect.objectContaining({ name: "ConfigError" }));
    expect(() => read(wrong)).toThrow(new RegExp(`^${name}[^\\n]{10,200}$`));
    expect(() => read(wrong)).not.toThrow(PASSWORD);
  });

  test("F3: no such host, nothing on the port, no such socket: each names its setting", async () => {
    const [port = 0] = await freePorts(1);
    await expectRefusal(read({ MYSQL_HOST: "no-such-host.invalid" }), /^MYSQL_HOST: .*no-such-host\.invalid/);
    await expectRefusal(
      read({ MYSQL_PORT: String(port) }),
      new RegExp(`^MYSQL_HOST and MYSQL_PORT: .*127\\.0\\.0\\.1:${port}`),
    );
    await expectRefusal(read({ MYSQL_SOCKET: "/no/such/socket" }), /^MYSQL_SOCKET: \/no\/such\/socket/);
    const url = `mysql://app:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/app`;
    await expectRefusal({ ...read({ DATABASE_URL: url }) }, /^DATABASE_URL: nothing listens/);
  });

  test.each<[string, (socket: Socket) => void]>([
    ["nothing", () => undefined],
    ["a closed door", (socket) => socket.destroy()],
    ["a banner", (socket) => socket.write("SSH-2.0-OpenSSH_9.2p1\r\n")],
    ["an HTTP error", (socket) => socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")],
    ["zeros", (socket) => socket.write(Buffer.alloc(4096))],
    ["a short greeting", (socket) => socket.write(Buffer.from([1, 0, 0, 0, 10]))],
    ["noise", (socket) => socket.write(Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 73) % 256)))],
  ])("F3, F6: a port where %s answers is named, within the time, and ends no process", async (_, answer) => {
    const port = String(await listen(answer));
    const started = performance.now();
    await expectRefusal(read({ MYSQL_PORT: port }), /^MYSQL_PORT: /);
    expect(performance.now() - started).toBeLessThan(TIMEOUT * 4.5);
  });
});

describe.each(["mariadb", "mysql"] as const)("mysql driver on %s", (name) => {
  let url: string | undefined;
  let settings: StoreSettings;
  const table = `s_${process.pid}_${name}`;

  beforeAll(async () => {
    url = (await server(name))?.url;
    if (url) settings = readStoreSettings(new Environment({ DATABASE_URL: url, SESSION_TABLE: table }));
  }, 120_000);

  beforeEach((context) => context.skip(url === undefined, `no ${name} server here`));

  async function sql(...statements: string[]): Promise<void> {
    const connection = await createConnection({ uri: url as string });
    for (const statement of statements) await connection.query(statement);
    await connection.end();
  }

  const account = (user: string) => `'${user}'@'%'`;

  async function withUser(
    grants: string[],
    work: (its: StoreSettings) => Promise<void>,
    requiring = "",
  ): Promise<void> {
    const user = `u_${process.pid}`;
    const create = `CREATE USER ${account(user)} IDENTIFIED BY '${PASSWORD}' ${requiring}`;
    await sql(
      `DROP USER IF EXISTS ${account(user)}`,
      create,
      ...grants.map((grant) => `GRANT ${grant} TO ${account(user)}`),
    );
    try {
      await work({ ...settings, user, password: PASSWORD, fromUrl: false });
    } finally {
      await sql(`DROP USER ${account(user)}`, `DROP TABLE IF EXISTS \`${table}\``);
    }
  }

  test("F3: a wrong password, an unknown user, a missing database: each names its setting", async () => {
    const wrong = { ...settings, password: "not-the-password", fromUrl: false };
    await expectRefusal(wrong, /^MYSQL_USER or MYSQL_PASSWORD: .*refuses user "tester"/);
    await expectRefusal({ ...wrong, fromUrl: true }, /^DATABASE_URL: .*refuses user "tester"/);
    await expectRefusal({ ...wrong, user: "nobody-here" }, /^MYSQL_USER or MYSQL_PASSWORD: .*"nobody-here"/);
    await expectRefusal(
      { ...settings, database: "no_such_database", fromUrl: false },
      /^MYSQL_DATABASE: .*"no_such_database"/,
    );
  });

  test("F3: no access to the database, and TLS that the two don't agree on, name their setting", async () => {
    await withUser([], async (its) => await expectRefusal(its, /^MYSQL_USER: ".*" may not use database "app"/));
    await withUser(["ALL ON app.*"], async (its) => await expectRefusal(its, /MYSQL_TLS/), "REQUIRE SSL");
    await expectRefusal({ ...settings, tls: { mode: "on" } }, /^MYSQL_TLS: /);
  });

  test("P3: TLS with the server's own CA, unchecked, or refused; and a socket, with TLS and without", async ({
    skip,
  }) => {
    const connection = await createConnection({ uri: url as string });
    const [found] = await connection.query("SELECT @@ssl_cert AS certificate, @@socket AS socket");
    await connection.end();
    const { certificate, socket } = (found as { certificate: string; socket: string }[])[0] ?? {
      certificate: "",
      socket: "",
    };
    const here = [certificate, socket].every((path) => existsSync(path));
    skip(!here, `the ${name} server runs elsewhere: its certificate and its socket are not on this machine`);
    const { port, user, password, database } = settings;
    const its = (more: Record<string, string>) =>
      readStoreSettings(
        new Environment({
          ...{ MYSQL_HOST: "localhost", MYSQL_PORT: `${port}`, MYSQL_USER: user, MYSQL_PASSWORD: password },
          ...{ MYSQL_DATABASE: database, SESSION_TABLE: table, ...more },
        }),
      );
    for (const works of [
      its({ MYSQL_TLS: certificate }),
      its({ MYSQL_TLS: "unverified" }),
      its({ MYSQL_TLS: "unverified", MYSQL_HOST: "127.0.0.1" }),
      its({ MYSQL_USER: "root", MYSQL_SOCKET: socket }),
      its({ MYSQL_USER: "root", MYSQL_SOCKET: socket, MYSQL_TLS: certificate }),
    ]) {
      const driver = open(works);
      await driver.setup();
      const row = await createRow(driver, { userid: "encrypted" });
      expect(comparable(await stored(driver, row.id))).toEqual(comparable(row));
    }
    await expectRefusal(its({ MYSQL_TLS: "on" }), /^MYSQL_TLS: no secure connection: .*self[- ]signed/);
    await sql(`DROP TABLE \`${table}\``);
  });

  test("P6: a user who may not create tables is told so, and works with a table that is there", async () => {
    await withUser(["SELECT, INSERT, UPDATE, DELETE ON app.*"], async (its) => {
      const driver = open(its);
      const error = await failure(driver.setup());
      expect(error).not.toBeInstanceOf(StoreUnavailable);
      expect(error.message).toMatch(/^MYSQL_USER: "u_\d+" lacks a permission \(CREATE command denied [^\n]*\)\.$/);
      await open(settings).setup();
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
    await withUser([`${others.join(", ")} ON app.${table}`], async (its) => {
      const error = await failure(open(its).check());
      expect(error.message).toMatch(new RegExp(`^MYSQL_USER: .*${lacking} command denied`));
    });
  });

  test("P6 F11 L9: check names the column, the type or the index that is not as schema.sql has it", async () => {
    const driver = open(settings);
    const cases: [string, RegExp][] = [
      ["DROP COLUMN ipaddress", /no column "ipaddress"\. Add it by ALTER TABLE/],
      ["MODIFY userid VARCHAR(255)", /"userid" .* is varchar/],
      ["DROP INDEX expiry", /no index on "expires"/],
    ];
    for (const [alteration, line] of cases) {
      await driver.setup();
      await sql(`ALTER TABLE \`${table}\` ${alteration}`);
      expect((await failure(driver.check())).message).toMatch(line);
      expect((await failure(driver.setup())).message).toMatch(line);
      await sql(`DROP TABLE \`${table}\``);
    }
    expect((await failure(driver.read("x", { now: START }))).message).toMatch(
      /^Table ".*" \(SESSION_TABLE\) is missing: run "npm run sessions -- setup"/,
    );
  });
});
