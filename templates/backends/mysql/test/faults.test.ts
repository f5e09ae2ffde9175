// How the MySQL driver bears servers that hang, die or lock rows, and connections that break.
// Change it when connections are kept or given up otherwise.

import type { Socket } from "node:net";
import { createConnection } from "mysql2/promise";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type SessionDriver, StoreUnavailable } from "../../../../runtime/src/session/contract.ts";
import { drivers, failure, listen, onwardTo } from "../../../../test/drivers/broken.ts";
import { comparable, createRow, existing, newRow, START, set, stored } from "../../../../test/drivers/rows.ts";
import { type FreshServer, freshServer, server } from "../../../../test/servers/server.ts";
import { Environment } from "../../../base/files/src/http/environment.ts";
import { createDriver } from "../files/src/store/driver.ts";
import { readStoreSettings, type StoreSettings } from "../files/src/store/settings.ts";

const TIMEOUT = 1000;

function open(settings: StoreSettings, timeout = TIMEOUT): SessionDriver {
  const driver = createDriver(settings, timeout);
  drivers.push(driver);
  return driver;
}

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
      const ended = driver.endAll(100);
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
    const onwards = new Set<Socket>();
    const port = await listen((socket) => {
      const onward = onwardTo(settings.host, settings.port, socket);
      passing.add(socket);
      onwards.add(onward);
      onward.pipe(socket).pipe(onward);
    });
    const driver = open({ ...settings, host: "127.0.0.1", port, connections: 3 });
    await Promise.all(Array.from({ length: 3 }, () => driver.ping()));
    expect(passing.size).toBe(3);
    for (const socket of passing) socket.unpipe().pause();
    for (const onward of onwards) onward.unpipe();
    for (const error of await Promise.all([1, 2, 3].map(() => failure(driver.ping())))) {
      expect(error).toBeInstanceOf(StoreUnavailable);
    }
    const started = performance.now();
    await Promise.all(Array.from({ length: 6 }, () => driver.ping()));
    expect(performance.now() - started).toBeLessThan(TIMEOUT);
    expect(passing.size).toBe(6);
    await sql(`DROP TABLE \`${table}\``);
  });
});

describe.each(["mariadb", "mysql"] as const)("mysql driver and a %s of its own", (name) => {
  let own: FreshServer | undefined;

  let settings: StoreSettings;

  beforeEach(async (context) => {
    own = await freshServer(name, { durable: true });
    if (!own) return context.skip(`no ${name} server here`);
    settings = readStoreSettings(new Environment({ DATABASE_URL: own.url, MYSQL_CONNECTIONS: "4" }));
  }, 120_000);

  afterEach(async () => await own?.stop());

  test("F1: a hung server is StoreUnavailable in time, over and over, and works as soon as it goes on", async () => {
    const driver = open(settings);
    await driver.setup();
    const row = await createRow(driver);
    await own?.pause();
    for (let round = 0; round < 2; round++) {
      const works = Array.from({ length: 12 }, (_, index) =>
        failure(
          index % 2 ? driver.read(row.id, { now: START }) : driver.change(row.id, { now: START, set: set({ index }) }),
        ),
      );
      for (const error of await Promise.all(works)) expect(error).toBeInstanceOf(StoreUnavailable);
    }
    await own?.resume();
    await waitFor(() =>
      driver.ping().then(
        () => true,
        () => false,
      ),
    );
    const reads = Array.from({ length: 12 }, () => stored(driver, row.id));
    for (const read of await Promise.all(reads)) expect(read?.id).toBe(row.id);
  });

  test("F4: close ends, though the server hangs", async () => {
    const driver = open(settings);
    await driver.setup();
    await own?.pause();
    await driver.close();
    await own?.resume();
  });

  test("F1, F2: a killed server is StoreUnavailable; back again, it has what was answered with success", async () => {
    const driver = open(settings);
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
});

/** Not more often: InnoDB's own tables are made anew only when nobody has read them for a tenth of a second. */
async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  for (const until = Date.now() + 30_000; Date.now() < until; ) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  throw new Error("what was waited for never came");
}
