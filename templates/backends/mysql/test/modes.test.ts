// How the MySQL driver bears servers with unusual settings, and what stands between them.
// Change it when statements are sent in another way.

import type { Socket } from "node:net";
import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type SessionDriver, StoreUnavailable, UNLIMITED } from "../../../../runtime/src/session/contract.ts";
import { drivers, failure, listen, onwardTo } from "../../../../test/drivers/broken.ts";
import { comparable, createRow, existing, HOUR, newRow, START, set, stored } from "../../../../test/drivers/rows.ts";
import { type FreshServer, freshServer } from "../../../../test/servers/server.ts";
import { Environment } from "../../../base/files/src/http/environment.ts";
import { createDriver } from "../files/src/store/driver.ts";
import { readStoreSettings, type StoreSettings } from "../files/src/store/settings.ts";

describe.each(["mariadb", "mysql"] as const)("mysql driver and what a %s does to statements", (name) => {
  let its: FreshServer | undefined;
  let settings: StoreSettings;
  let admin: Connection;

  beforeAll(async () => {
    its = await freshServer(name);
    if (!its) return;
    settings = readStoreSettings(new Environment({ DATABASE_URL: its.url, MYSQL_CONNECTIONS: "4" }));
    admin = await createConnection({ uri: its.url });
  }, 120_000);

  beforeEach(async (context) => {
    context.skip(its === undefined, `no ${name} server here`);
    await admin.query("DROP TABLE IF EXISTS sessions");
  });

  afterAll(async () => {
    await admin?.end();
    await its?.stop();
  });

  function open(given = settings, timeout = 5000): SessionDriver {
    const driver = createDriver(given, timeout);
    drivers.push(driver);
    return driver;
  }

  async function status(variable: string): Promise<number> {
    const [rows] = await admin.query<RowDataPacket[]>(`SHOW GLOBAL STATUS LIKE '${variable}'`);
    return Number(rows[0]?.Value);
  }

  /** Every operation of the contract, once. */
  async function everything(driver: SessionDriver): Promise<void> {
    const row = await createRow(driver, { userid: "all" });
    expect(comparable(await stored(driver, row.id))).toEqual(comparable(row));
    expect(await driver.change(row.id, { now: START, set: set({ a: 1 }), remove: ["b"] })).toBe("done");
    expect(await driver.listByUser("all", START, 10)).toHaveLength(1);
    for await (const batch of driver.all(START)) expect(batch.map(({ id }) => id)).toContain(row.id);
    expect((await driver.stats(START)).live).toBe(1);
    expect(await driver.endByUser("all", 10)).toEqual([row.id]);
    expect(await driver.end(row.id)).toBe(false);
    expect(await driver.purge(START, 10)).toBe(0);
    expect(await driver.endAll(10)).toBe(0);
    await driver.ping();
    await driver.check();
  }

  test("F8: there is no prepared statement that a server or a proxy could forget or take for another", async () => {
    const driver = open();
    await driver.setup();
    const before = await status("Com_stmt_prepare");
    await everything(driver);
    expect((await status("Com_stmt_prepare")) - before).toBe(0);
  });

  test("F8: a server whose prepared statements are used up serves sessions all the same", async () => {
    await admin.query("SET GLOBAL max_prepared_stmt_count = 0");
    try {
      const driver = open();
      await driver.setup();
      await everything(driver);
    } finally {
      await admin.query("SET GLOBAL max_prepared_stmt_count = 16382");
    }
  });

  test("F8: a table that is altered, dropped and made anew while the app runs is used as it is", async () => {
    const driver = open();
    await driver.setup();
    const row = await createRow(driver);
    for (const alteration of [
      "MODIFY ipaddress VARCHAR(300) NOT NULL",
      "MODIFY ipaddress TEXT NOT NULL",
      "ADD own INT",
    ]) {
      await Promise.all(Array.from({ length: 20 }, () => stored(driver, row.id)));
      await admin.query(`ALTER TABLE sessions ${alteration}`);
      for (const read of await Promise.all(Array.from({ length: 20 }, () => stored(driver, row.id)))) {
        expect(comparable(read)).toEqual(comparable(row));
      }
      expect(await driver.change(row.id, { now: START })).toBe("done");
    }
    await admin.query("DROP TABLE sessions");
    await driver.setup();
    expect(await stored(driver, row.id)).toBeUndefined();
    await everything(driver);
  });

  test.each([
    ["DROP TABLE sessions", /^Table "sessions" \(SESSION_TABLE\) is missing/],
    [
      "ALTER TABLE sessions DROP COLUMN useragent",
      /^Table "sessions" \(SESSION_TABLE\) isn't as in schema\.sql: .*useragent/,
    ],
  ])(
    "F9: after %s while the app runs requests and health say so alike, until it is there again",
    async (statement, line) => {
      const driver = open();
      await driver.setup();
      const row = await createRow(driver);
      await admin.query(statement);
      const table = /^DROP/.test(statement);
      const calls = [
        stored(driver, row.id),
        driver.create(newRow()),
        ...(table ? [driver.ping(), driver.end(row.id)] : []),
      ];
      for (const error of await Promise.all(calls.map(failure))) {
        expect(error).toBeInstanceOf(StoreUnavailable);
        expect(error.message).toMatch(line);
      }
      expect(await failure(driver.check()), "at a start there is nothing to wait for").not.toBeInstanceOf(
        StoreUnavailable,
      );
      await admin.query("DROP TABLE IF EXISTS sessions");
      await driver.setup();
      await everything(driver);
    },
  );

  test("F8: a statement is not sent where the connection went to another server meanwhile, but refused or repeated", async () => {
    await open().setup();
    const sockets: Socket[] = [];
    const port = await listen((socket) => {
      sockets.push(socket);
      const onward = onwardTo(settings.host, settings.port, socket);
      onward.pipe(socket).pipe(onward);
    });
    const driver = open({ ...settings, host: "127.0.0.1", port });
    const row = await createRow(driver);
    for (let round = 1; round <= 5; round++) {
      const reads = Array.from({ length: 10 }, () => stored(driver, row.id));
      for (const socket of sockets.splice(0)) socket.destroy();
      for (const read of await Promise.all(reads)) expect(comparable(read)).toEqual(comparable(row));
    }
    await driver.close();
  });

  test("F11, S18: a session that is longer than max_allowed_packet is refused as too large, and others go on", async () => {
    await admin.query("SET GLOBAL max_allowed_packet = 16384");
    try {
      const driver = open();
      await driver.setup();
      const row = await createRow(driver, { data: '{"a":1}' });
      const long = JSON.stringify("x".repeat(20_000));
      for (const refused of [
        driver.change(row.id, { now: START, set: new Map([["long", long]]) }),
        driver.create(newRow({ data: `{"long":${long}}` })),
      ]) {
        const error = await failure(refused);
        expect(error).toMatchObject({ status: 413 });
        expect(error.message).toMatch(/^The session is too large for the server: max_allowed_packet is 16384 bytes\./);
      }
      expect(comparable(await existing(driver, row.id))).toEqual(comparable(row));
      expect(await driver.change(row.id, { now: START, set: set({ b: "x".repeat(1000) }) })).toBe("done");
      expect((await driver.stats(START)).live).toBe(1);
    } finally {
      await admin.query("SET GLOBAL max_allowed_packet = 67108864");
    }
  });

  test("F11: a trigger or a constraint that refuses sessions is found at the start, and leaves no row", async () => {
    const driver = open();
    await driver.setup();
    await admin.query("ALTER TABLE sessions ADD CONSTRAINT known CHECK (userid IS NULL)");
    expect((await failure(driver.check())).message).toMatch(
      /^Table "sessions" \(SESSION_TABLE\) can't be used: .*known/,
    );
    await admin.query("ALTER TABLE sessions DROP CONSTRAINT known");
    await admin.query(
      "CREATE TRIGGER refuse BEFORE DELETE ON sessions FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'kept for ever'",
    );
    expect((await failure(driver.check())).message).toMatch(/can't be used: kept for ever\.$/);
    expect((await driver.stats(START)).live).toBe(0);
  });

  test("F6: no value is taken for SQL, whatever the server's modes and character set", async () => {
    await admin.query("SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES', GLOBAL character_set_server = gbk");
    try {
      const driver = open();
      await driver.setup();
      const nasty = [
        "\\' OR 1=1 -- ",
        "\u00bf\\' OR 1=1 -- ",
        "縗' OR 1=1 -- ",
        '" OR ""="',
        "'; DROP TABLE sessions; -- ",
        "?",
        "??",
      ];
      for (const text of nasty) {
        const row = await createRow(driver, {
          userid: text,
          useragent: text,
          ipaddress: text,
          data: JSON.stringify({ [text]: text }),
        });
        expect(comparable(await stored(driver, row.id))).toEqual(comparable(row));
        expect((await driver.listByUser(text, START, 10)).map(({ id }) => id)).toEqual([row.id]);
        expect(await driver.change(row.id, { now: START, remove: [text], set: set({ [`${text}2`]: text }) })).toBe(
          "done",
        );
        expect(JSON.parse((await existing(driver, row.id)).data)).toEqual({ [`${text}2`]: text });
      }
      expect((await driver.stats(START)).live).toBe(nasty.length);
    } finally {
      await admin.query("SET GLOBAL sql_mode = DEFAULT, GLOBAL character_set_server = utf8mb4");
    }
  });

  test("S10, F7: changes of one session at the same time are all made, in each isolation level and with snapshots", async () => {
    const connection = await createConnection({ uri: its?.url as string });
    if (name === "mariadb") await connection.query("SET GLOBAL innodb_snapshot_isolation = ON");
    for (const level of ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]) {
      await connection.query(`SET GLOBAL TRANSACTION ISOLATION LEVEL ${level}`);
      const both = [open(settings, 20_000), open(settings, 20_000)] as const;
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
    const odd = [
      "ANSI_QUOTES",
      "NO_BACKSLASH_ESCAPES",
      "PIPES_AS_CONCAT",
      "HIGH_NOT_PRECEDENCE",
      "PAD_CHAR_TO_FULL_LENGTH",
    ];
    if (name === "mariadb") odd.push("SIMULTANEOUS_ASSIGNMENT", "EMPTY_STRING_IS_NULL");
    const connection = await createConnection({ uri: its?.url as string });
    await connection.query(`SET GLOBAL sql_mode = '${odd.join()}'`);
    await connection.query(
      "SET GLOBAL time_zone = '+09:00', GLOBAL autocommit = 0, GLOBAL character_set_server = latin1",
    );
    await connection.query("SET GLOBAL TRANSACTION ISOLATION LEVEL READ UNCOMMITTED");
    const [driver, other] = [open(), open()];
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
