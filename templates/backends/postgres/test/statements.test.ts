// Prepared statements of the PostgreSQL driver that the server forgets, or that no longer fit the table.
// Change it when statements are prepared or repeated in another way.

import { Socket } from "node:net";
import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { type SessionDriver, StoreUnavailable } from "../../../../runtime/src/session/contract.ts";
import { drivers, failure } from "../../../../test/drivers/broken.ts";
import { comparable, createRow, existing, newRow, START, set, stored } from "../../../../test/drivers/rows.ts";
import { type FreshServer, freshServer } from "../../../../test/servers/server.ts";
import { Environment } from "../../../base/files/src/http/environment.ts";
import { createDriver } from "../files/src/store/driver.ts";
import { readStoreSettings } from "../files/src/store/settings.ts";

const now = START;

describe("postgres driver and its prepared statements", () => {
  let its: FreshServer | undefined;
  let admin: Client;

  beforeAll(async () => {
    its = await freshServer("postgres");
    if (!its) return;
    admin = new Client({ connectionString: its.url });
    await admin.connect();
  }, 120_000);

  beforeEach(async (context) => {
    context.skip(its === undefined, "no PostgreSQL here");
    await admin.query("DROP TABLE IF EXISTS sessions");
  });

  afterAll(async () => {
    await admin?.end();
    await its?.stop();
  });

  async function open(connections = 4): Promise<SessionDriver> {
    const variables = { DATABASE_URL: its?.url as string, PG_CONNECTIONS: String(connections) };
    const driver = createDriver(readStoreSettings(new Environment(variables)), 5000);
    drivers.push(driver);
    await driver.setup();
    return driver;
  }

  /** Each connection that changes a session with this address then runs `statement`. */
  async function whenChanged(ipaddress: string, statement: string): Promise<void> {
    await admin.query(`CREATE OR REPLACE FUNCTION on_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN EXECUTE '${statement}'; RETURN NULL; END $$`);
    await admin.query(`CREATE TRIGGER on_change AFTER UPDATE ON sessions FOR EACH ROW
      WHEN (NEW.ipaddress = '${ipaddress}') EXECUTE FUNCTION on_change()`);
  }

  test("F8: a server that forgets its prepared statements while the connection lives costs nobody a request", async () => {
    const driver = await open();
    await whenChanged("forget", "DEALLOCATE ALL");
    const [row, forgetful] = [await createRow(driver), await createRow(driver, { ipaddress: "forget" })];
    for (let round = 0; round < 5; round++) {
      const everything = Array.from({ length: 30 }, () => stored(driver, row.id));
      expect(await driver.change(forgetful.id, { now, set: set({ round }) })).toBe("done");
      everything.push(...Array.from({ length: 30 }, () => stored(driver, row.id)));
      for (const read of await Promise.all(everything)) expect(comparable(read)).toEqual(comparable(row));
      expect(await driver.change(row.id, { now })).toBe("done");
      await driver.ping();
    }
    expect(JSON.parse((await existing(driver, forgetful.id)).data)).toEqual({ round: 4 });
  });

  test("F8: with one connection, what stands in line behind the loss is done, and done once", async () => {
    const driver = await open(1);
    await whenChanged("forget", "DEALLOCATE ALL");
    const [row, forgetful] = [await createRow(driver), await createRow(driver, { ipaddress: "forget" })];
    await driver.change(row.id, { now, set: set({ warm: 1 }) });
    const before = (await existing(driver, row.id)).version;
    const changes = [
      driver.change(forgetful.id, { now }),
      ...Array.from({ length: 50 }, (_, number) =>
        driver.change(row.id, { now, set: set({ [`k${number}`]: number }) }),
      ),
    ];
    expect(new Set(await Promise.all(changes))).toEqual(new Set(["done"]));
    const after = await existing(driver, row.id);
    expect(after.version).toBe(before + 50);
    expect(Object.keys(JSON.parse(after.data) as object)).toHaveLength(51);
  });

  test("S10: statements of one turn of the event loop are sent at once, and each is done", async () => {
    const driver = await open(1);
    const row = await createRow(driver);
    const change = (key: string) => driver.change(row.id, { now, set: set({ [key]: 1 }) });
    await change("warm");
    const writes = vi.spyOn(Socket.prototype, "_writev");
    onTestFinished(() => writes.mockRestore());
    const changes = ["a", "b", "c", "d", "e"].map(change);
    expect(new Set(await Promise.all(changes))).toEqual(new Set(["done"]));
    expect(writes).toHaveBeenCalledTimes(1);
    expect(Object.keys(JSON.parse((await existing(driver, row.id)).data) as object)).toHaveLength(6);
  });

  test("F8: a column whose type changes while the app runs breaks no request", async () => {
    const driver = await open();
    const row = await createRow(driver);
    const touch = { lifetime: 86_400, every: 60, secretHash: row.secretHash };
    await Promise.all(Array.from({ length: 40 }, () => driver.read(row.id, { now, touch })));
    for (const type of ["varchar(300)", "varchar(400)", "text"]) {
      await Promise.all(Array.from({ length: 40 }, () => stored(driver, row.id)));
      await admin.query(`ALTER TABLE sessions ALTER COLUMN ipaddress TYPE ${type}`);
      const reads = await Promise.all(Array.from({ length: 40 }, () => stored(driver, row.id)));
      for (const read of reads) expect(comparable(read)).toEqual(comparable(row));
      expect(await driver.listByUser("nobody", now, 1)).toEqual([]);
      expect((await driver.read(row.id, { now, touch }))?.id).toBe(row.id);
    }
  });

  test("F8: a table that is dropped and made anew while the app runs is used as it is", async () => {
    const driver = await open();
    const row = await createRow(driver);
    await stored(driver, row.id);
    await admin.query("DROP TABLE sessions");
    await driver.setup();
    expect(await stored(driver, row.id)).toBeUndefined();
    await createRow(driver);
  });

  test.each([
    ["DROP TABLE sessions", /relation "sessions" does not exist; check SESSION_TABLE\.$/],
    ["ALTER TABLE sessions DROP COLUMN useragent", /column .*useragent.* does not exist; check SESSION_TABLE\.$/],
  ])(
    "F9: after %s while the app runs requests and health say so alike, until it is there again",
    async (statement, line) => {
      const driver = await open();
      const row = await createRow(driver);
      await stored(driver, row.id);
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
      await driver.ping();
      await createRow(driver);
    },
  );

  test("F8: the same statement has the same name in every process, whatever came first", async () => {
    const first = await open();
    await createRow(first);
    await first.end("nobody");
    const second = await open();
    await second.end("nobody");
    await second.endAll(1);
    await createRow(second);
    const names = new Map<string, string>();
    const seen = "SELECT name, statement FROM pg_prepared_statements";
    await admin.query(`CREATE TABLE IF NOT EXISTS seen (name text, statement text)`);
    await whenChanged("look", `INSERT INTO seen ${seen}`);
    for (const driver of [first, second]) {
      const row = await createRow(driver, { ipaddress: "look" });
      await driver.change(row.id, { now });
    }
    const { rows } = await admin.query<{ name: string; statement: string }>(
      "SELECT DISTINCT name, statement FROM seen",
    );
    for (const { name, statement } of rows) {
      expect(names.get(name) ?? statement).toBe(statement);
      names.set(name, statement);
    }
    expect(rows.some(({ statement }) => statement.startsWith("INSERT"))).toBe(true);
    expect(new Set(rows.map(({ statement }) => statement)).size).toBe(rows.length);
  });
});
