// The PostgreSQL driver behind PgBouncer in transaction mode, which lends each connection to one process after the other.
// Change it when statements get their names, or connections their parameters, in another way.

import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type SessionDriver, StoreUnavailable } from "../../../../runtime/src/session/contract.ts";
import { drivers, failure } from "../../../../test/drivers/broken.ts";
import { changing, comparable, createRow, existing, START, set, stored } from "../../../../test/drivers/rows.ts";
import { waitFor } from "../../../../test/drivers/waiting.ts";
import { type FreshServer, freshServer } from "../../../../test/servers/server.ts";
import { Environment } from "../../../base/files/src/http/environment.ts";
import { createDriver } from "../files/src/store/driver.ts";
import { readStoreSettings } from "../files/src/store/settings.ts";

const TIMEOUT = 5000;
const now = START;

function open(url: string, more: Record<string, string> = {}): SessionDriver {
  const driver = createDriver(readStoreSettings(new Environment({ DATABASE_URL: url, ...more })), TIMEOUT);
  drivers.push(driver);
  return driver;
}

describe.each(["pgbouncer", "pgbouncer-newest"] as const)("postgres driver behind %s", (name) => {
  let its: FreshServer | undefined;

  beforeAll(async () => {
    its = await freshServer(name, { durable: true });
  }, 120_000);

  beforeEach((context) => context.skip(its === undefined, `no ${name} here`));

  afterAll(async () => await its?.stop());

  test("F7, F8: of many processes' reads, changes and ends each does what it was sent for", async () => {
    const url = its?.url as string;
    // Each process starts with another statement, which decides what gets which number.
    const firsts: ((driver: SessionDriver) => Promise<unknown>)[] = [
      (driver) => driver.end("nobody"),
      (driver) => driver.listByUser("nobody", now, 1),
      (driver) => changing(driver, "nobody", { now }),
      (driver) => driver.endAll(1),
      (driver) => driver.purge(now, 10),
      (driver) => driver.endByUser("nobody", 1),
    ];
    await open(url).setup();
    const processes = await Promise.all(
      firsts.map(async (first) => {
        const driver = open(url);
        await first(driver);
        return driver;
      }),
    );
    const work = async (driver: SessionDriver, index: number) => {
      for (let round = 0; round < 40; round++) {
        const row = await createRow(driver, { userid: `user ${index}` });
        const other = processes[(index + round) % processes.length] as SessionDriver;
        expect(comparable(await stored(other, row.id))).toEqual(comparable(row));
        expect(await driver.change(row.id, { now, set: set({ round }) })).toBe("done");
        expect((await driver.listByUser(`user ${index}`, now, 10)).map(({ id }) => id)).toEqual([row.id]);
        expect(JSON.parse((await existing(other, row.id)).data)).toEqual({ round });
        const touch = { lifetime: 86_400, every: 60, secretHash: row.secretHash };
        expect((await other.read(row.id, { now: now + 600, touch }))?.touched).toBe(true);
        expect(await other.end(row.id)).toBe(true);
        expect(await stored(driver, row.id)).toBeUndefined();
      }
    };
    await Promise.all(processes.flatMap((driver, index) => [work(driver, index)]));
  });

  test("F8: a connection whose statements somebody has removed answers all the same", async () => {
    const driver = open(its?.url as string, { PG_CONNECTIONS: "1" });
    await driver.setup();
    const row = await createRow(driver);
    const other = new Client({ connectionString: its?.url as string });
    await other.connect();
    for (let round = 0; round < 5; round++) {
      expect(comparable(await stored(driver, row.id))).toEqual(comparable(row));
      await other.query("DEALLOCATE ALL");
      const reads = await Promise.all(Array.from({ length: 20 }, () => stored(driver, row.id)));
      for (const read of reads) expect(comparable(read)).toEqual(comparable(row));
    }
    await other.end();
  });

  test("F1: a restarted pooler, and a server that went away behind it, are used again as soon as they are back", async () => {
    const driver = open(its?.url as string);
    await driver.setup();
    const row = await createRow(driver);
    for (const unit of [1, 0]) {
      await its?.kill(unit);
      expect(await failure(driver.ping())).toBeInstanceOf(StoreUnavailable);
      await its?.restart(unit);
      await waitFor(() =>
        driver.ping().then(
          () => true,
          () => false,
        ),
      );
      expect(comparable(await existing(driver, row.id))).toEqual(comparable(row));
    }
  });
});

describe("postgres driver and a pooler's conditions", () => {
  let its: FreshServer | undefined;

  beforeAll(async () => {
    its = await freshServer("pgbouncer");
  }, 120_000);

  beforeEach((context) => context.skip(its === undefined, "no PgBouncer here"));

  afterAll(async () => await its?.stop());

  test("F8, F11: a startup parameter that the pooler refuses is named, and so is the setting that leaves it out", async () => {
    const [, plain = ""] = its?.nodes ?? [];
    const refused = open(plain);
    for (const error of await Promise.all([refused.setup(), refused.check(), refused.ping()].map(failure))) {
      expect(error).toBeInstanceOf(StoreUnavailable);
      expect(error.message).toMatch(
        /^PostgreSQL at 127.*: unsupported startup parameter: \w+_timeout; PG_POOLER=true leaves out what poolers refuse\.$/,
      );
    }
    const driver = open(plain, { PG_POOLER: "true" });
    await driver.setup();
    await driver.check();
  });

  test("F1: the timeouts that README sets for the role hold behind the pooler", async () => {
    const [direct = ""] = its?.nodes ?? [];
    const client = new Client({ connectionString: direct });
    await client.connect();
    const role = new URL(direct).username;
    await client.query(`ALTER ROLE ${role} SET statement_timeout = '4500ms'`);
    await client.query(`ALTER ROLE ${role} SET lock_timeout = '500ms'`);
    await client.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL",
    );
    const driver = open(its?.url as string);
    await waitFor(() =>
      driver.setup().then(
        () => true,
        () => false,
      ),
    );
    const row = await createRow(driver);
    await client.query("BEGIN");
    await client.query("SELECT 1 FROM sessions WHERE id = $1 FOR UPDATE", [row.id]);
    const { message } = await failure(driver.change(row.id, { now, set: set({ a: 1 }) }));
    expect(message).toMatch(/lock timeout/);
    await client.end();
  });
});
