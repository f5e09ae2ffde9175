// The collection of sessions: its indexes, and what a document may hold.
// Change it when schema.ts changes.

import { type IndexDescription, MongoClient } from "mongodb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { StoreUnavailable, UnreadableRow } from "../../../../runtime/src/session/contract.ts";
import { failure } from "../../../../test/drivers/broken.ts";
import { comparable, createRow, existing, newRow, START, set, stored } from "../../../../test/drivers/rows.ts";
import { server } from "../../../../test/servers/server.ts";
import type { StoreSettings } from "../files/src/store/settings.ts";
import { open, read } from "./support.ts";

describe("mongodb collection", () => {
  let url: string | undefined;
  let settings: StoreSettings;
  let client: MongoClient;
  const collection = `s_${process.pid}`;

  beforeAll(async () => {
    url = (await server("mongodb"))?.url;
    if (!url) return;
    settings = read(url, collection);
    client = new MongoClient(url);
  }, 120_000);

  beforeEach((context) => context.skip(url === undefined, "no mongodb server here"));

  afterEach(async () => {
    await client?.db(settings.database).dropCollection(collection);
  });

  afterAll(async () => await client?.close());

  const sessions = () => client.db(settings.database).collection<{ _id: string }>(collection);
  const names = async () => (await sessions().listIndexes().toArray()).map(({ name }) => name).sort();

  test("P6: check names the index that is missing, and setup creates only that one", async () => {
    const driver = open(settings);
    await driver.setup();
    await sessions().dropIndex("user");
    expect((await failure(driver.check())).message).toMatch(/lacks the index "user"/);
    await driver.setup();
    await driver.check();
    expect(await names()).toEqual(["_id_", "expiry", "user"]);
  });

  test("F9: a time to live of somebody else's, on the same key and under another name, is as good", async () => {
    await sessions().createIndex({ expires: 1 }, { name: "mine", expireAfterSeconds: 3600 });
    const driver = open(settings);
    await driver.setup();
    expect(await names()).toEqual(["_id_", "mine", "user"]);
  });

  test.each<[string, IndexDescription, RegExp]>([
    ["doesn't expire", { key: { expires: 1 }, name: "foreign" }, /"foreign" .* \(expireAfterSeconds\)\.$/],
    [
      "covers some of the sessions only",
      {
        ...{ key: { expires: 1 }, name: "foreign", expireAfterSeconds: 60 },
        partialFilterExpression: { userid: { $exists: true } },
      },
      /"foreign" .* \(partialFilterExpression\)\.$/,
    ],
    ["allows one session a user", { key: { userid: 1, created: -1 }, name: "foreign", unique: true }, /\(unique\)\.$/],
  ])("F9: an index that %s is named in one line, and the one that is missing is created", async (_, index, line) => {
    await sessions().createIndexes([index]);
    const driver = open(settings);
    const errors = [await failure(driver.setup()), await failure(driver.check())];
    for (const error of errors) {
      expect(error.message).toMatch(/^The index [^\n]* differs from schema\.ts: [^\n]*$/);
      expect(error.message).toMatch(line);
      expect(typeof (error as { code?: unknown }).code).not.toBe("number");
    }
    expect(await names()).toHaveLength(3);
  });

  test("F9: an index that can't be created is named in one line with the server's reason", async () => {
    await sessions().createIndex({ ipaddress: 1 }, { name: "user" });
    const error = await failure(open(settings).setup());
    expect(error.message).toMatch(
      /^MONGODB_COLLECTION: the index "user" and "expiry" of collection [^\n]+ \([^\n]+\)\.$/,
    );
    expect(error.message).toMatch(/user/);
    expect((error as { code?: unknown }).code).toBeUndefined();
  });

  test("F1: a second session with the same id is refused for that reason", async () => {
    const driver = open(settings);
    await driver.setup();
    const row = await createRow(driver, { userid: "first" });
    const error = await failure(driver.create({ ...newRow({ userid: "second" }), id: row.id }));
    expect(error.message).toBe(`There is a session ${row.id} already.`);
    expect(error).not.toBeInstanceOf(StoreUnavailable);
    expect((await existing(driver, row.id)).userid).toBe("first");
  });

  test.each<[string, object]>([
    ["a secret hash that is a text", { secretHash: "AAAA" }],
    ["a date that is a number", { expires: START }],
    ["data that is no document", { data: "{}" }],
    ["a value that is no text", { data: { a: 1 } }],
  ])("F5: %s is UnreadableRow", async (_, spoilt) => {
    const driver = open(settings);
    await driver.setup();
    const row = await createRow(driver, { data: '{"a":1}' });
    await sessions().updateOne({ _id: row.id }, { $set: spoilt });
    expect(await failure(driver.read(row.id, { now: START }))).toBeInstanceOf(UnreadableRow);
    await driver.stats(START);
    expect(await driver.end(row.id)).toBe(true);
  });

  test("S9, F6: texts that look like fields, variables and operators are texts", async () => {
    const driver = open(settings);
    await driver.setup();
    for (const strange of ["$version", "$$ROOT", "$$NOW", "$", "{$gt: ''}", "data.a"]) {
      const row = await createRow(driver);
      const written = { now: START, userid: strange, set: set({ [strange]: strange, plain: { $gt: strange } }) };
      expect(await driver.change(row.id, written)).toBe("done");
      const data = JSON.stringify({ [strange]: strange, plain: { $gt: strange } });
      expect(comparable(await stored(driver, row.id))).toEqual(comparable({ ...row, userid: strange, data }));
      expect(await driver.endByUser(strange, 10)).toEqual([row.id]);
    }
  });
});
