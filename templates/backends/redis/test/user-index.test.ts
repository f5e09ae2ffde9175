// The index of users' sessions: what it keeps and drops, and that it never lacks an entry without this being noticed.
// Change it together with schema.md when the index gets another form.

import { createHash } from "node:crypto";
import { createClient } from "redis";
import { afterEach, describe, expect, test } from "vitest";
import { type SessionDriver, type SessionRow, StoreUnavailable } from "../../../../runtime/src/session/contract.ts";
import { failure } from "../../../../test/drivers/broken.ts";
import {
  createRow,
  createRows,
  endEverySession,
  endUser,
  HOUR,
  newRow,
  START,
  stored,
} from "../../../../test/drivers/rows.ts";
import { waitFor } from "../../../../test/drivers/waiting.ts";
import { type FreshServer, freshServer } from "../../../../test/servers/server.ts";
import { RedisConnection } from "../files/src/store/connection.ts";
import type { StoreSettings } from "../files/src/store/settings.ts";
import { UserIndex } from "../files/src/store/user-index.ts";
import { collectWarnings, open, prefix, SharedServer, send } from "./support.ts";

const PARTS = 1024;
const RULES = [`~${prefix}:*`, "+@all"];

/** The part of the index that has a user's entries. */
function partOf(userid: string): string {
  const hash = createHash("sha256").update(JSON.stringify(userid)).digest();
  return `${prefix}:users:${hash.readUInt32BE() % PARTS}`;
}

const idsOf = (rows: { id: string }[]) => rows.map(({ id }) => id).sort();
const entryOf = ({ userid, id }: SessionRow) => `${JSON.stringify(userid)} ${id}`;

describe("redis index of users", () => {
  const shared = new SharedServer();
  const command = (...args: string[]) => shared.command(...args);

  test("S15: a part drops what nobody needs any more: the ended when listed, the expired when written", async () => {
    const driver = open(shared.settings());
    const [first, second] = [
      await createRow(driver, { userid: "index", idle: 100 }),
      await createRow(driver, { userid: "index" }),
    ];
    await command("DEL", `${prefix}:id:${first.id}`);
    expect(await driver.listByUser("index", START, 10)).toHaveLength(1);
    const entries = async () => {
      const all = (await command("ZRANGE", partOf("index"), "0", "-1")) as string[];
      return all.filter((entry) => entry.startsWith('"index" '));
    };
    expect(await entries()).toEqual([entryOf(second)]);
    // Three idle times later another sign-in finds only itself.
    const third = await createRow(driver, { userid: "index", created: START + 4 * HOUR });
    expect(await entries()).toEqual([entryOf(third)]);
    expect(await driver.end(third.id)).toBe(true);
    await waitFor(async () => (await entries()).length === 0);
  });

  test("S15: a session that is used for long stays in its user's index", async () => {
    const driver = open(shared.settings());
    const row = await createRow(driver, { userid: "regular", idle: HOUR });
    for (let now = START; now < START + 20 * HOUR; now += HOUR / 2) {
      expect(await driver.change(row.id, { now, touch: { lifetime: 100 * HOUR } })).toBe("done");
      await createRow(driver, { userid: "regular", created: now, idle: 1 });
      expect((await driver.listByUser("regular", now, 10)).map(({ id }) => id)).toContain(row.id);
    }
    expect(await driver.endByUser("regular", 100)).toContain(row.id);
  });

  test("S15, S24: an entry that could not be written is written with the next touch", async () => {
    const driver = open(await shared.userWith(RULES));
    const row = await createRow(driver, { userid: "elsewhere", idle: HOUR });
    const at = (hours: number) => ({ now: START + hours * HOUR, touch: { lifetime: 100 * HOUR } });
    expect(await driver.change(row.id, at(0.9))).toBe("done");
    await command("ACL", "SETUSER", "app", "-zadd");
    expect(await failure(driver.change(row.id, at(1.5)))).toBeInstanceOf(StoreUnavailable);
    await shared.userWith(RULES);
    expect(await driver.change(row.id, at(2.4))).toBe("done");
    // The next sign-in drops what the index has kept for long enough.
    const other = await createRow(driver, { userid: "elsewhere", created: START + 3.2 * HOUR });
    expect(idsOf((await endUser(driver, "elsewhere")).map((id) => ({ id })))).toEqual(idsOf([row, other]));
    await command("ACL", "DELUSER", "app");
  });

  test("S15: the index is written once per idle time, not with every touch", async () => {
    const driver = open(shared.settings());
    const row = await createRow(driver, { userid: "steady", idle: HOUR });
    const written = async () => await command("ZSCORE", partOf("steady"), entryOf(row));
    const noted = async () => await command("HGET", `${prefix}:id:${row.id}`, "indexed");
    const touched = async (hours: number) => {
      const change = { now: START + hours * HOUR, touch: { lifetime: 100 * HOUR } };
      expect(await driver.change(row.id, change)).toBe("done");
      return Number(await written()) - START;
    };
    expect(await touched(0.9)).toBe(3 * HOUR);
    expect(await touched(1.5)).toBe(4.5 * HOUR);
    await waitFor(async () => Number(await noted()) === START + 4.5 * HOUR);
    expect(await touched(2.4)).toBe(4.5 * HOUR);
    expect(await touched(2.6)).toBe(5.6 * HOUR);
  });
});

describe("redis index of users that has lost entries", () => {
  const servers: FreshServer[] = [];

  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
  });

  async function start(): Promise<StoreSettings> {
    const server = await freshServer("redis");
    if (!server) throw new Error("no redis server here");
    servers.push(server);
    return { urls: [server.url], sentinels: [], prefix };
  }

  const command = (settings: StoreSettings, ...args: string[]) => send(settings.urls[0] as string, ...args);

  test.each<[string, (settings: StoreSettings) => Promise<unknown>]>([
    ["the user's part is deleted", (settings) => command(settings, "DEL", partOf("ada"))],
    [
      "it is deleted and another sign-in comes before the list",
      async (settings) => {
        await command(settings, "DEL", partOf("ada"));
        await createRow(open(settings), { userid: "somebody else of that part" });
        await command(settings, "ZADD", partOf("ada"), `${START + HOUR}`, '"eve" x');
      },
    ],
    [
      "every part is deleted",
      async (settings) => {
        let keys: string[] = [];
        // A start makes the parts in the background.
        await waitFor(async () => {
          keys = (await command(settings, "KEYS", `${prefix}:users:*`)) as string[];
          return keys.length === PARTS;
        });
        await command(settings, "DEL", ...keys);
      },
    ],
  ])("F9, S15: when %s, a user's sessions are listed, limited and ended all the same", async (_, lose) => {
    const settings = await start();
    const driver = open(settings);
    await driver.setup();
    const rows = Array.from({ length: 7 }, () => newRow({ userid: "ada" }));
    const others = [newRow({ userid: "eve" }), newRow()];
    await createRows(driver, [...rows, ...others]);
    const warnings = collectWarnings();

    await lose(settings);
    expect(idsOf(await driver.listByUser("ada", START, 100))).toEqual(idsOf(rows));
    await waitFor(() => warnings.length > 0);
    expect(warnings[0]).toMatch(/^Redis had lost entries of the index of users' sessions \(\d+\), [^\n]*$/);

    await lose(settings);
    const [kept, ...ended] = idsOf(rows);
    expect((await endUser(open(settings), "ada", kept)).sort()).toEqual(ended);
    await lose(settings);
    expect(await driver.endByUser("ada", 100)).toEqual([kept]);
    expect(idsOf(await driver.listByUser("eve", START, 100))).toEqual(idsOf(others.slice(0, 1)));
  });

  test("F9: a change that is written while the index is lost and rebuilt is in it afterwards", async () => {
    const settings = await start();
    const drivers = [open(settings), open(settings)] as const;
    await drivers[0].setup();
    const rows = Array.from({ length: 2000 }, () => newRow({ userid: "ada" }));
    await createRows(drivers[0], rows);
    const added: SessionRow[] = [];
    for (let round = 0; round < 5; round++) {
      await command(settings, "DEL", partOf("ada"));
      const listing = drivers[0].listByUser("ada", START, 10_000);
      added.push(await createRow(drivers[1], { userid: "ada" }));
      const guest = await createRow(drivers[1]);
      await drivers[1].change(guest.id, { now: START, userid: "ada" });
      added.push(guest);
      await command(settings, "DEL", partOf("ada"));
      const [, listed] = await Promise.all([listing, drivers[1].listByUser("ada", START, 10_000)]);
      expect(idsOf(listed)).toEqual(idsOf([...rows, ...added]));
    }
  });

  test("F9: a part that is lost again during its rebuild is rebuilt once more", async () => {
    const settings = await start();
    const connection = new RedisConnection(settings, 5000);
    const entries = ["one", "two"].map((id) => ({ id, user: '"ada"', keepUntil: START + HOUR }));
    let walks = 0;
    const index = new UserIndex(connection, prefix, async function* () {
      walks++;
      yield entries.slice(0, 1);
      if (walks === 1) await command(settings, "DEL", partOf("ada"));
      yield entries.slice(1);
    });
    expect((await index.idsOf('"ada"')).sort()).toEqual(["one", "two"]);
    expect(walks).toBe(2);
    connection.close();
  });

  test("S15: a user without sessions costs no walk through the store", async () => {
    const settings = await start();
    const driver = open(settings);
    await driver.setup();
    await createRows(
      driver,
      Array.from({ length: 50 }, () => newRow({ userid: "somebody" })),
    );
    // The first list may wait for what the start has begun.
    await driver.listByUser("somebody", START, 1);
    const scans = async () =>
      /cmdstat_scan:calls=(\d+)/.exec(String(await command(settings, "INFO", "commandstats")))?.[1] ?? "0";
    const before = await scans();
    expect(await driver.listByUser("nobody", START, 10)).toEqual([]);
    expect(await driver.endByUser("nobody", 10)).toEqual([]);
    expect(await scans()).toBe(before);
  });

  test("F9, S15: while Redis evicts, the list is what can still be used, and ends it all", async () => {
    const settings = await start();
    const driver = open(settings);
    await driver.setup();
    const users = Array.from({ length: 40 }, (_, number) => `user ${number}`);
    const rows = Array.from({ length: 400 }, (_, number) => newRow({ userid: users[number % 40] as string }));
    await createRows(driver, rows);
    const client = await createClient({ url: settings.urls[0] as string }).connect();
    const partsLeft = async () => ((await client.sendCommand(["KEYS", `${prefix}:users:*`])) as string[]).length;
    await client.configSet("maxmemory-policy", "allkeys-random");
    const used = Number(/used_memory:(\d+)/.exec(await client.info("memory"))?.[1]);
    await client.configSet("maxmemory", `${used + 100_000}`);
    for (let number = 0; (await partsLeft()) > PARTS - 300; number++) {
      await client.set(`junk ${number}`, "x".repeat(10_000));
    }
    await client.configSet("maxmemory", "0");
    client.destroy();

    for (const user of users) {
      const alive = await alives(
        driver,
        rows.filter(({ userid }) => userid === user),
      );
      expect(idsOf(await driver.listByUser(user, START, 1000))).toEqual(idsOf(alive));
      await endUser(driver, user);
    }
    expect(await alives(driver, rows)).toEqual([]);
    expect((await driver.stats(START)).live).toBe(0);
  });

  test("S24: after everybody's sessions have ended, Redis holds nothing of this app's", async () => {
    const settings = await start();
    const driver = open(settings);
    await driver.setup();
    await createRows(
      driver,
      Array.from({ length: 1200 }, () => newRow({ userid: "many" })),
    );
    expect(await endEverySession(driver, 500)).toBe(1200);
    expect(await command(settings, "DBSIZE")).toBe(0);
    expect(await driver.listByUser("many", START, 10)).toEqual([]);
  });
});

async function alives(driver: SessionDriver, rows: SessionRow[]): Promise<SessionRow[]> {
  const found = await Promise.all(rows.map((row) => stored(driver, row.id)));
  return rows.filter((_, position) => found[position] !== undefined);
}
