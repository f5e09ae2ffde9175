// How the PostgreSQL driver bears servers that hang, die, restart or drop it, and what it costs them.
// Change it when connections are kept or given up otherwise.

import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type SessionDriver, StoreUnavailable, UNLIMITED } from "../../../../runtime/src/session/contract.ts";
import {
  changing,
  comparable,
  createRow,
  existing,
  HOUR,
  newRow,
  START,
  set,
  stored,
} from "../../../../test/drivers/rows.ts";
import { waitFor } from "../../../../test/drivers/waiting.ts";
import { type FreshServer, freshServer } from "../../../../test/servers/server.ts";
import { Environment } from "../../../base/files/src/http/environment.ts";
import { createDriver } from "../files/src/store/driver.ts";
import { readStoreSettings } from "../files/src/store/settings.ts";

const TIMEOUT = 2000;
const now = START;

describe("postgres driver and its server", () => {
  let its: FreshServer | undefined;
  let driver: SessionDriver;

  beforeAll(async () => {
    its = await freshServer("postgres", { durable: true });
  }, 120_000);

  beforeEach(async (context) => {
    if (!its) return context.skip("no PostgreSQL here");
    driver = createDriver(readStoreSettings(new Environment({ DATABASE_URL: its.url })), TIMEOUT);
    await waitFor(() =>
      driver.setup().then(
        () => true,
        () => false,
      ),
    );
  });

  afterEach(async () => await driver.close());

  afterAll(async () => await its?.stop());

  async function asOther<Result>(work: (client: Client) => Promise<Result>): Promise<Result> {
    const client = new Client({ connectionString: its?.url as string });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  async function connections(): Promise<number> {
    const own = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'sessions'";
    return await asOther(async (client) => (await client.query<{ n: number }>(own)).rows[0]?.n ?? -1);
  }

  async function refusal(work: unknown): Promise<StoreUnavailable> {
    const error = await Promise.resolve(work).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(StoreUnavailable);
    return error as StoreUnavailable;
  }

  test("F1: a server that hangs is given up in time, and used again as soon as it answers", async () => {
    const row = await createRow(driver);
    await Promise.all(Array.from({ length: 100 }, () => existing(driver, row.id)));
    await its?.pause();
    try {
      const started = performance.now();
      const hung = [
        driver.ping(),
        driver.read(row.id, { now }),
        driver.end("x"),
        ...Array.from({ length: 50 }, () => stored(driver, row.id)),
      ];
      for (const error of await Promise.all(hung.map(refusal))) expect(error.message).toMatch(/check .*PG|check the/);
      await refusal(driver.change(row.id, { now, set: set({ while: "hung" }) }));
      expect(performance.now() - started).toBeLessThan(TIMEOUT * 3);
    } finally {
      await its?.resume();
    }
    await waitFor(() =>
      driver.ping().then(
        () => true,
        () => false,
      ),
    );
    expect((await existing(driver, row.id)).userid).toBeNull();
    expect(await driver.change(row.id, { now, set: set({ a: 1 }) })).toBe("done");
  });

  test("F1: connections that the server drops are replaced, the statements on them refused", async () => {
    const row = await createRow(driver);
    for (let round = 0; round < 5; round++) {
      const reads = Array.from({ length: 40 }, () => stored(driver, row.id).catch((reason: unknown) => reason));
      await asOther((client) =>
        client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sessions'"),
      );
      for (const result of await Promise.all(reads)) {
        if (result instanceof Error) expect(result).toBeInstanceOf(StoreUnavailable);
        else expect(comparable(result as typeof row)).toEqual(comparable(row));
      }
      await waitFor(() =>
        driver.ping().then(
          () => true,
          () => false,
        ),
      );
      expect(comparable(await existing(driver, row.id))).toEqual(comparable(row));
    }
    expect(await connections()).toBeLessThanOrEqual(4);
  });

  test("F1, F2: killed with -9 under load it loses nothing that was answered, and the driver goes on by itself", async () => {
    const rows = await Promise.all(Array.from({ length: 8 }, () => createRow(driver, { data: '{"n":0}' })));
    const answered = rows.map(() => 0);
    let refused = 0;
    let running = true;
    const write = async (index: number) => {
      for (let n = 1; running; n++) {
        try {
          expect(await driver.change(rows[index]?.id ?? "", { now, set: set({ n }) })).toBe("done");
          answered[index] = n;
        } catch (error) {
          expect(error).toBeInstanceOf(StoreUnavailable);
          refused++;
          // Its fate is unknown: the next to be answered writes over it.
        }
        await new Promise(setImmediate);
      }
    };
    const writers = Promise.all(rows.map((_, index) => write(index)));
    const progress = (from: number[]) => () => answered.every((n, index) => n > (from[index] ?? 0) + 20);
    for (let round = 0; round < 2; round++) {
      await waitFor(progress([...answered]));
      await its?.kill();
      const before = refused;
      await waitFor(() => refused > before + 8);
      await its?.restart();
    }
    await waitFor(progress([...answered]));
    running = false;
    await writers;
    for (const [index, row] of rows.entries()) {
      expect(JSON.parse((await existing(driver, row.id)).data)).toEqual({ n: answered[index] });
    }
    expect(refused).toBeGreaterThan(0);
  });

  test("F1: a statement that waits for somebody's lock is given up, others go on", async () => {
    const [held, free] = [await createRow(driver), await createRow(driver)];
    await asOther(async (client) => {
      await client.query("BEGIN");
      await client.query("SELECT 1 FROM sessions WHERE id = $1 FOR UPDATE", [held.id]);
      const waiting = refusal(driver.change(held.id, { now, set: set({ a: 1 }) }));
      expect(comparable(await stored(driver, held.id))).toEqual(comparable(held));
      expect((await waiting).message).toMatch(/lock timeout/);
      await client.query("ROLLBACK");
    });
    expect(await driver.change(held.id, { now, set: set({ a: 2 }) })).toBe("done");
    expect(await driver.change(free.id, { now, set: set({ a: 2 }) })).toBe("done");
  });

  test("F1: one row that somebody holds keeps no other session's requests from being answered", async () => {
    const [held, ...others] = await Promise.all(Array.from({ length: 41 }, () => createRow(driver)));
    if (!held) throw new Error("no row");
    await asOther(async (client) => {
      await client.query("BEGIN");
      await client.query("SELECT 1 FROM sessions WHERE id = $1 FOR UPDATE", [held.id]);
      const blocked: Promise<StoreUnavailable>[] = [];
      const reads: Promise<unknown>[] = [];
      // Each round one request for the row that is held, and many for the others: on whichever connection it is, they wait behind it.
      for (let round = 0; round < 8; round++) {
        blocked.push(refusal(driver.change(held.id, { now, set: set({ round }) })));
        reads.push(...others.map((row) => existing(driver, row.id)));
      }
      expect((await Promise.all(reads)).length).toBe(8 * 40);
      await Promise.all(blocked);
      await client.query("ROLLBACK");
    });
    expect(await driver.change(held.id, { now, set: set({ a: 1 }) })).toBe("done");
  });

  test("P6, F7: setup waits for another process's, longer than for a row", async () => {
    await asOther(async (client) => {
      await client.query("DROP TABLE sessions");
      await client.query("BEGIN");
      await client.query("SELECT pg_advisory_xact_lock(7305478105938452321)");
      const settingUp = driver.setup();
      // The other one is done only when this one has waited for longer than it would for a row.
      await waitFor(async () => {
        const waiting = `SELECT 1 FROM pg_stat_activity WHERE application_name = 'sessions' AND wait_event_type = 'Lock'
          AND now() - query_start > '${TIMEOUT * 0.2} ms'`;
        return (await asOther((other) => other.query(waiting))).rowCount === 1;
      });
      await client.query("COMMIT");
      await settingUp;
    });
    await driver.check();
  });

  test("F1: what stands in line behind a statement that could not be prepared is refused, or done, but no error of the app's", async () => {
    const rows = await Promise.all(Array.from({ length: 30 }, () => createRow(driver)));
    await driver.close();
    const settings = readStoreSettings(new Environment({ DATABASE_URL: its?.url as string, PG_CONNECTIONS: "1" }));
    driver = createDriver(settings, TIMEOUT);
    await driver.ping();
    await asOther(async (client) => {
      await client.query("BEGIN; LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE");
      const results = await Promise.all(rows.map((row) => stored(driver, row.id).catch((reason: unknown) => reason)));
      for (const result of results) expect(result).toBeInstanceOf(StoreUnavailable);
      await client.query("ROLLBACK");
    });
    expect(comparable(await existing(driver, rows[0]?.id ?? ""))).toEqual(comparable(rows[0]));
  });

  test("F1, S14: a connection to a standby is left as soon as a write is refused there", async () => {
    const row = await createRow(driver);
    await driver.close();
    const own = "ALTER ROLE tester";
    await asOther((client) => client.query(`${own} SET default_transaction_read_only = on`));
    try {
      driver = createDriver(readStoreSettings(new Environment({ DATABASE_URL: its?.url as string })), TIMEOUT);
      const { message } = await refusal(driver.change(row.id, { now, set: set({ a: 1 }) }));
      expect(message).toMatch(/read-only transaction; check/);
    } finally {
      await asOther(async (client) => {
        await client.query("SET default_transaction_read_only = off");
        await client.query(`${own} RESET ALL`);
      });
    }
    await waitFor(() =>
      changing(driver, row.id, { now, set: set({ a: 2 }) }).then(
        (result) => result === "done",
        () => false,
      ),
    );
  });

  test("S10: what lost a deadlock is done again", async () => {
    await asOther(async (client) => {
      // Found before the lock is given up.
      await client.query("ALTER SYSTEM SET deadlock_timeout = '20ms'");
      await client.query("SELECT pg_reload_conf()");
    });
    for (let round = 0; round < 3; round++) {
      await driver.endAll(1000);
      const rows = await Promise.all(
        ["A", "B"].map((start) => createRow(driver, { id: start.padEnd(22, "x"), userid: "u" })),
      );
      await asOther(async (client) => {
        await client.query("BEGIN");
        await client.query("SET LOCAL deadlock_timeout = '10s'");
        await client.query("UPDATE sessions SET idle = 5 WHERE id = $1", [rows[1]?.id]);
        const ended = driver.endAll(1000);
        await waitFor(async () => {
          const waiting =
            "SELECT 1 FROM pg_stat_activity WHERE application_name = 'sessions' AND wait_event_type = 'Lock'";
          return (await asOther((other) => other.query(waiting))).rowCount === 1;
        });
        await client.query("UPDATE sessions SET idle = 5 WHERE id = $1", [rows[0]?.id]);
        await client.query("COMMIT");
        expect(await ended).toBe(2);
      });
    }
  });

  test("S8: purging steps over rows that somebody holds", async () => {
    await driver.endAll(1000);
    const rows = await Promise.all(Array.from({ length: 10 }, () => createRow(driver, { idle: 10 })));
    await asOther(async (client) => {
      await client.query("BEGIN");
      await client.query("SELECT 1 FROM sessions WHERE id = $1 FOR UPDATE", [rows[3]?.id]);
      expect(await driver.purge(now + 11, 100)).toBe(9);
      await client.query("ROLLBACK");
    });
    expect(await driver.purge(now + 11, 100)).toBe(1);
  });

  test("S6: nine of ten touches stay within their page (HOT), write to no index", async () => {
    await driver.endAll(1000);
    const rows = Array.from({ length: 400 }, () =>
      newRow({ idle: 24 * HOUR, data: JSON.stringify({ a: "x".repeat(900) }) }),
    );
    await Promise.all(rows.map((row) => driver.create(row)));
    for (let minute = 1; minute <= 20; minute++) {
      const at = now + minute * 60;
      const touch = { lifetime: UNLIMITED, every: 60 };
      const touched = await Promise.all(
        rows.map((row) => driver.read(row.id, { now: at, touch: { ...touch, secretHash: row.secretHash } })),
      );
      expect(touched.every((row) => row?.touched)).toBe(true);
    }
    await driver.close();
    let hot = 0;
    await waitFor(async () => {
      const counts =
        "SELECT n_tup_upd::int AS all, n_tup_hot_upd::int AS hot FROM pg_stat_user_tables WHERE relname = 'sessions'";
      const { rows: seen } = await asOther((client) => client.query<{ all: number; hot: number }>(counts));
      hot = (seen[0]?.hot ?? 0) / (seen[0]?.all ?? 1);
      return (seen[0]?.all ?? 0) >= 8000;
    });
    expect(hot).toBeGreaterThan(0.8);
  });

  test("S6, S8, S15: each operation finds its rows over an index", async () => {
    await driver.endAll(1000);
    const rows = Array.from({ length: 3000 }, (_, number) =>
      newRow({ userid: `u${number % 1000}`, idle: 100 + number * 100 }),
    );
    for (let at = 0; at < rows.length; at += 500)
      await Promise.all(rows.slice(at, at + 500).map((row) => driver.create(row)));
    await asOther(async (client) => {
      await client.query("ANALYZE sessions");
      const plan = async (sql: string) => JSON.stringify((await client.query(`EXPLAIN (FORMAT JSON) ${sql}`)).rows);
      expect(await plan("SELECT * FROM sessions WHERE id = 'x'")).toContain("sessions_pkey");
      const ofUser = "SELECT * FROM sessions WHERE userid = 'u1' AND expires >= 1 ORDER BY created DESC LIMIT 10";
      expect(await plan(ofUser)).toContain("sessions_by_user");
      const expired = `SELECT id FROM sessions WHERE expires_slot <= ${now + 900}::bigint / 600 AND expires < ${now + 900}
        ORDER BY expires_slot LIMIT 10`;
      expect(await plan(expired)).toContain("sessions_by_expiry");
      expect(await plan("SELECT * FROM sessions WHERE id > 'x' AND expires >= 1 ORDER BY id LIMIT 10")).toContain(
        "sessions_pkey",
      );
    });
  });
});
