// What the MySQL driver says of wrong settings, and how it bears servers that hang, die, refuse or are set up oddly.
// Change it when a setting is added, or an error gets another line.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { createConnection } from "mysql2/promise";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type SessionDriver, StoreUnavailable, UNLIMITED } from "../../../../runtime/src/session/contract.ts";
import { drivers, failure, PASSWORD, servers, sockets } from "../../../../test/drivers/broken.ts";
import { comparable, createRow, existing, HOUR, newRow, START, set, stored } from "../../../../test/drivers/rows.ts";
import { type FreshServer, freshServer, server } from "../../../../test/servers/server.ts";
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

/** A port where something else answers. */
async function listen(answer: (socket: Socket) => void): Promise<number> {
  const listening = createServer((socket) => {
    sockets.add(socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy()));
    answer(socket);
  });
  servers.push(listening);
  await once(listening.listen(0, "127.0.0.1"), "listening");
  return (listening.address() as AddressInfo).port;
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
    const port = String(await listen((socket) => socket.destroy()));
    servers.pop()?.close();
    await expectRefusal(read({ MYSQL_HOST: "no-such-host.invalid" }), /^MYSQL_HOST: .*no-such-host\.invalid/);
    await expectRefusal(
      read({ MYSQL_PORT: port }),
      new RegExp(`^MYSQL_HOST and MYSQL_PORT: .*127\\.0\\.0\\.1:${port}`),
    );
    await expectRefusal(read({ MYSQL_SOCKET: "/no/such/socket" }), /^MYSQL_SOCKET: \/no\/such\/socket/);
    const url = `mysql://app:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/app`;
    await expectRefusal({ ...read({ DATABASE_URL: url }) }, /^DATABASE_URL: nothing answers/);
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

  const account = (user: string) => `'${user}'@'127.0.0.1'`;

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

  test("P3: TLS with the server's own CA, unchecked, or refused; and a socket, with TLS and without", async () => {
    const connection = await createConnection({ uri: url as string });
    const [found] = await connection.query("SELECT @@ssl_cert AS certificate, @@socket AS socket");
    await connection.end();
    const { certificate, socket } = (found as { certificate: string; socket: string }[])[0] ?? {
      certificate: "",
      socket: "",
    };
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

  test("P6: check names the column, the type or the index that is not as schema.sql has it", async () => {
    const driver = open(settings);
    const cases: [string, RegExp][] = [
      ["DROP COLUMN ipaddress", /no column "ipaddress"/],
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
      /^Table ".*" is missing: run "npm run sessions -- setup"/,
    );
  });

  test("S10: what lost a deadlock is done again", async () => {
    const driver = open(settings, 20_000);
    await driver.setup();
    const other = await createConnection({ uri: url as string });
    for (let round = 0; round < 3; round++) {
      const rows = ["A", "B"].map((start) => newRow({ id: start.padEnd(22, String(round)) }));
      const more = Array.from({ length: 20 }, () => newRow({ id: `z${newRow().id.slice(1)}` }));
      for (const row of [...rows, ...more]) await driver.create(row);
      // The other transaction has changed more rows, so that the server picks the driver's as the victim.
      await other.query("START TRANSACTION");
      for (const row of [rows[1], ...more])
        await other.query(`UPDATE \`${table}\` SET idle = 5 WHERE id = ?`, [row?.id]);
      const ended = driver.endAll();
      await waitFor(async () => {
        const [waiting] = await other.query(
          "SELECT COUNT(*) AS n FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'",
        );
        return (waiting as { n: number }[])[0]?.n === 1;
      });
      await other.query(`UPDATE \`${table}\` SET idle = 5 WHERE id = ?`, [rows[0]?.id]);
      await other.query("COMMIT");
      expect(await ended).toBe(22);
    }
    await other.end();
    await sql(`DROP TABLE \`${table}\``);
  });

  test("F1, S12: what waits for somebody's lock is given up by the server too, and never done afterwards", async () => {
    const driver = open({ ...settings, connections: 5 }, 3000);
    await driver.setup();
    const [held, free] = [await createRow(driver), await createRow(driver)];
    const other = await createConnection({ uri: url as string });
    const abandoned = async () => {
      const waiting = `SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE INFO LIKE 'UPDATE \`${table}\`%'`;
      return (((await other.query(waiting))[0] as { n: number }[])[0] as { n: number }).n;
    };
    await other.query("START TRANSACTION");
    await other.query(`UPDATE \`${table}\` SET idle = idle WHERE id = ?`, [held.id]);
    const change = { now: START, set: set({ late: true }) };
    const refused = await Promise.all(Array.from({ length: 4 }, () => failure(driver.change(held.id, change))));
    for (const error of refused) expect(error).toBeInstanceOf(StoreUnavailable);
    await waitFor(async () => (await abandoned()) === 0);
    expect(await driver.change(free.id, change)).toBe("done");
    await other.query("COMMIT");
    await other.end();
    expect(comparable(await existing(driver, held.id))).toEqual(comparable(held));
    await sql(`DROP TABLE \`${table}\``);
  });

  test("F1: a connection that went dead is never used again, nor does it hold others up", async () => {
    await open(settings).setup();
    const passing = new Set<Socket>();
    const port = await listen((socket) => {
      const onward = connect(settings.port, settings.host);
      sockets.add(onward);
      passing.add(socket);
      onward
        .on("error", () => socket.destroy())
        .pipe(socket)
        .pipe(onward);
    });
    const driver = open({ ...settings, host: "127.0.0.1", port, connections: 3 });
    await Promise.all(Array.from({ length: 3 }, () => driver.ping()));
    expect(passing.size).toBe(3);
    for (const socket of passing) socket.unpipe().pause();
    for (const onward of sockets) onward.unpipe();
    for (const error of await Promise.all([1, 2, 3].map(() => failure(driver.ping())))) {
      expect(error).toBeInstanceOf(StoreUnavailable);
    }
    const started = performance.now();
    await Promise.all(Array.from({ length: 6 }, () => driver.ping()));
    expect(performance.now() - started).toBeLessThan(TIMEOUT);
    expect(passing.size).toBe(6);
    await sql(`DROP TABLE \`${table}\``);
  });

  test("S19, S24: a user's sessions end in as many steps as there are batches, each said once", async () => {
    await open(settings).setup();
    let sent = 0;
    const port = await listen((socket) => {
      const onward = connect(settings.port, settings.host);
      sockets.add(onward.on("error", () => socket.destroy()));
      socket.on("data", (data) => {
        sent++;
        onward.write(data);
      });
      onward.pipe(socket);
    });
    const driver = open({ ...settings, host: "127.0.0.1", port, connections: 1 }, 20_000);
    const rows = Array.from({ length: 1200 }, () => newRow({ userid: "many" }));
    await Promise.all(rows.map((row) => driver.create(row)));
    sent = 0;
    const [kept, moved, ...others] = rows.map(({ id }) => id) as [string, string, ...string[]];
    const before = await Promise.all([
      driver.endByUser("many", kept),
      open(settings, 20_000).change(moved, { now: START, userid: "another" }),
    ]);
    expect(sent).toBeLessThan(60);
    // The one that got another user at that very moment was still ended, or is still there: never both.
    const isThere = (await stored(driver, moved)) !== undefined;
    expect(before[0].sort()).toEqual([...others, ...(isThere ? [] : [moved])].sort());
    expect(await driver.listByUser("many", START, 10)).toHaveLength(1);
    await sql(`DROP TABLE \`${table}\``);
  });

  describe("a server of its own", () => {
    let own: FreshServer | undefined;

    async function start(durable = false): Promise<StoreSettings> {
      own = await freshServer(name, { durable });
      if (!own) throw new Error(`no ${name} server here`);
      return readStoreSettings(new Environment({ DATABASE_URL: own.url, MYSQL_CONNECTIONS: "4" }));
    }

    afterEach(async () => await own?.stop());

    test("F1: a hung server is StoreUnavailable in time, over and over, and works as soon as it goes on", async () => {
      const driver = open(await start());
      await driver.setup();
      const row = await createRow(driver);
      await own?.pause();
      for (let round = 0; round < 2; round++) {
        const started = performance.now();
        const works = Array.from({ length: 12 }, (_, index) =>
          failure(
            index % 2
              ? driver.read(row.id, { now: START })
              : driver.change(row.id, { now: START, set: set({ index }) }),
          ),
        );
        for (const error of await Promise.all(works)) expect(error).toBeInstanceOf(StoreUnavailable);
        expect(performance.now() - started).toBeLessThan(TIMEOUT + 500);
      }
      await own?.resume();
      await waitFor(
        async () =>
          await driver.ping().then(
            () => true,
            () => false,
          ),
      );
      const reads = Array.from({ length: 12 }, () => stored(driver, row.id));
      for (const read of await Promise.all(reads)) expect(read?.id).toBe(row.id);
    });

    test("F4: close ends in time though the server hangs", async () => {
      const driver = open(await start());
      await driver.setup();
      await own?.pause();
      const started = performance.now();
      await driver.close();
      expect(performance.now() - started).toBeLessThan(TIMEOUT + 500);
      await own?.resume();
    });

    test("F1, F2: a killed server is StoreUnavailable; back again, it has what was answered with success", async () => {
      const driver = open(await start(true));
      await driver.setup();
      const row = await createRow(driver, { data: '{"n":0}' });
      await Promise.all(Array.from({ length: 8 }, () => driver.ping()));
      expect(await driver.change(row.id, { now: START, set: set({ n: 1 }) })).toBe("done");
      await own?.kill();
      const works = [driver.ping(), driver.read(row.id, { now: START }), driver.end(row.id), driver.purge(START, 1)];
      for (const error of await Promise.all(works.map(failure))) expect(error).toBeInstanceOf(StoreUnavailable);
      await own?.restart();
      expect(comparable(await existing(driver, row.id))).toEqual(comparable({ ...row, data: '{"n":1}' }));
    });

    test("S10, F7: changes of one session at the same time are all made, in each isolation level and with snapshots", async () => {
      const its = await start();
      const connection = await createConnection({ uri: own?.url as string });
      if (name === "mariadb") await connection.query("SET GLOBAL innodb_snapshot_isolation = ON");
      for (const level of ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]) {
        await connection.query(`SET GLOBAL TRANSACTION ISOLATION LEVEL ${level}`);
        const both = [open(its, 20_000), open(its, 20_000)] as const;
        await both[0].setup();
        const row = await createRow(both[0]);
        for (let round = 0; round < 5; round++) {
          const changes = Array.from({ length: 16 }, (_, n) =>
            (n % 2 ? both[0] : both[1]).change(row.id, {
              now: START,
              set: set({ [`${round} ${n}`]: n }),
              remove: ["x"],
            }),
          );
          expect(new Set(await Promise.all(changes))).toEqual(new Set(["done"]));
        }
        expect(Object.keys(JSON.parse((await existing(both[1], row.id)).data) as object)).toHaveLength(5 * 16);
      }
      await connection.end();
    });

    test("S9: a server's modes, time zone, character set, isolation and commit setting change nothing", async () => {
      const its = await start();
      const odd = [
        "ANSI_QUOTES",
        "NO_BACKSLASH_ESCAPES",
        "PIPES_AS_CONCAT",
        "HIGH_NOT_PRECEDENCE",
        "PAD_CHAR_TO_FULL_LENGTH",
      ];
      if (name === "mariadb") odd.push("SIMULTANEOUS_ASSIGNMENT", "EMPTY_STRING_IS_NULL");
      const connection = await createConnection({ uri: own?.url as string });
      await connection.query(`SET GLOBAL sql_mode = '${odd.join()}'`);
      await connection.query(
        "SET GLOBAL time_zone = '+09:00', GLOBAL autocommit = 0, GLOBAL character_set_server = latin1",
      );
      await connection.query("SET GLOBAL TRANSACTION ISOLATION LEVEL READ UNCOMMITTED");
      const [driver, other] = [open(its), open(its)];
      await driver.setup();
      const row = await createRow(driver, { useragent: "", ipaddress: "", userid: "ü\\'\"", data: '{"é":"😀\\\\"}' });
      expect(comparable(await stored(other, row.id))).toEqual(comparable(row));
      await connection.query("START TRANSACTION");
      await connection.query("UPDATE sessions SET idle = 5");
      expect(comparable(await stored(other, row.id)), "what is not committed is not read").toEqual(comparable(row));
      await connection.query("ROLLBACK");
      await connection.end();
      const touch = { lifetime: UNLIMITED };
      expect(
        await driver.change(row.id, { now: START + 60, idle: 2 * HOUR, touch, set: set({ b: "\\" }), remove: ["é"] }),
      ).toBe("done");
      const changed = {
        ...row,
        idle: 2 * HOUR,
        updated: START + 60,
        expires: START + 60 + 2 * HOUR,
        data: '{"b":"\\\\"}',
      };
      expect(comparable(await stored(other, row.id))).toEqual(comparable(changed));
      await failure(driver.create(newRow({ userid: "x".repeat(2049) })));
      expect((await other.stats(START)).live).toBe(1);
    });
  });
});

/** Not more often: InnoDB's own tables are made anew only when nobody has read them for a tenth of a second. */
async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  for (const until = Date.now() + 30_000; Date.now() < until; ) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  throw new Error("what was waited for never came");
}
