// How sessions lie in Redis: hashes that expire by themselves, written by scripts.
// Change it when a session is stored in another form.

import { describe, expect, test } from "vitest";
import { StoreUnavailable, UnreadableRow } from "../../../../runtime/src/session/contract.ts";
import { failure } from "../../../../test/drivers/broken.ts";
import { createRow, existing, HOUR, newRow, START, set } from "../../../../test/drivers/rows.ts";
import { listAll, open, prefix, SharedServer } from "./support.ts";

describe("redis sessions", () => {
  const shared = new SharedServer();
  const settings = () => shared.settings();
  const command = (...args: string[]) => shared.command(...args);

  test("F5: a key of another kind in a session's place is UnreadableRow, for read and change, and can be ended", async () => {
    const driver = open(settings());
    const { id } = newRow();
    await command("SET", `${prefix}:id:${id}`, "no hash");
    expect(await failure(driver.read(id, { now: START }))).toBeInstanceOf(UnreadableRow);
    expect(await failure(driver.change(id, { now: START }))).toBeInstanceOf(UnreadableRow);
    expect(await driver.end(id)).toBe(true);
  });

  test("F5: a user that is no JSON is UnreadableRow, is listed as it is, and can be ended", async () => {
    const driver = open(settings());
    const row = await createRow(driver, { data: '{"a":1}' });
    await command("HSET", `${prefix}:id:${row.id}`, "userid", "alice");
    expect(await failure(driver.read(row.id, { now: START }))).toBeInstanceOf(UnreadableRow);
    const listed = await listAll(driver);
    expect(listed.find(({ id }) => id === row.id)?.userid).toBe("alice");
    await driver.stats(START);
    expect(await driver.end(row.id)).toBe(true);
  });

  test.each([
    ["a time that is no number", ["HSET", "expires", "soon"], { expires: Number.NaN }],
    ["a version that is missing", ["HDEL", "version"], { version: Number.NaN }],
    ["an address that is missing", ["HDEL", "ipaddress"], { ipaddress: null }],
    ["a short secret hash", ["HSET", "secretHash", "AAAA"], { secretHash: new Uint8Array(3) }],
    ["a value that is no JSON", ["HSET", '"a"', "{"], { data: '{"a":{}' }],
  ])("F5: %s is left for the runtime to judge", async (_, [verb = "", ...rest], decoded) => {
    const driver = open(settings());
    const row = await createRow(driver, { data: '{"a":1}' });
    await command(verb, `${prefix}:id:${row.id}`, ...rest);
    expect(await driver.read(row.id, { now: START })).toMatchObject(decoded);
    await driver.stats(START);
    expect(await driver.end(row.id)).toBe(true);
  });

  test("F1: a second session with the same id is refused for that reason, and the connection stays", async () => {
    const driver = open(settings());
    const row = await createRow(driver, { userid: "first" });
    const before = await command("CLIENT", "LIST");
    for (let attempt = 0; attempt < 3; attempt++) {
      const error = await failure(driver.create({ ...newRow({ userid: "second" }), id: row.id }));
      expect(error.message).toBe(`There is a session ${row.id} already.`);
      expect(error).not.toBeInstanceOf(StoreUnavailable);
    }
    expect(String(await command("CLIENT", "LIST")).split("\n").length).toBe(String(before).split("\n").length);
    expect((await existing(driver, row.id)).userid).toBe("first");
    expect(await driver.listByUser("second", START, 10)).toEqual([]);
  });

  test("S10: scripts that the server has forgotten are sent again", async () => {
    const driver = open(settings());
    const row = await createRow(driver, { data: '{"a":1}' });
    await command("SCRIPT", "FLUSH");
    expect(await driver.change(row.id, { now: START, set: set({ b: 2 }) })).toBe("done");
    await command("SCRIPT", "FLUSH");
    const changes = Array.from({ length: 20 }, (_, n) =>
      driver.change(row.id, { now: START, set: set({ [`k${n}`]: n }) }),
    );
    expect(new Set(await Promise.all(changes))).toEqual(new Set(["done"]));
    expect(Object.keys(JSON.parse((await existing(driver, row.id)).data) as object)).toHaveLength(22);
  });

  test("S18: more keys than Lua can unpack at once", async () => {
    const driver = open(settings());
    const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, number) => [`${number}`, number]));
    const row = await createRow(driver, { data: JSON.stringify(many) });
    expect(
      await driver.change(row.id, { now: START, set: set(many), remove: Object.keys(many).map((key) => `${key}.`) }),
    ).toBe("done");
    expect(await driver.change(row.id, { now: START, remove: Object.keys(many) })).toBe("done");
    expect((await existing(driver, row.id)).data).toBe("{}");
  });

  test("S8: Redis removes a session a second after its last one, by the app's clock", async () => {
    const driver = open(settings());
    const row = await createRow(driver, { idle: 100 });
    const life = (await command("PTTL", `${prefix}:id:${row.id}`)) as number;
    expect(life).toBeGreaterThan(95_000);
    expect(life).toBeLessThanOrEqual(101_000);
    await driver.change(row.id, { now: START + 50, touch: { lifetime: HOUR } });
    expect(await command("PTTL", `${prefix}:id:${row.id}`)).toBeGreaterThan(life - 5000);
  });
});
