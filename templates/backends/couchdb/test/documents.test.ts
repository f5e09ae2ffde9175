// Sessions as documents of CouchDB: the design document, revisions, and conflicts that a cluster leaves.
// Change it when a session is stored in another form.

import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  type SessionDriver,
  type SessionRow,
  StoreUnavailable,
  UnreadableRow,
} from "../../../../runtime/src/session/contract.ts";
import { failure } from "../../../../test/drivers/broken.ts";
import {
  changing,
  createRow,
  existing,
  HOUR,
  infoOf,
  newHash,
  newRow,
  START,
  set,
  stored,
} from "../../../../test/drivers/rows.ts";
import { listAll, open, proxy, SharedServer } from "./support.ts";

describe("couchdb documents", () => {
  const shared = new SharedServer();

  /** Beside the session's document, as two nodes leave it that have both taken a write. */
  async function leaveConflict(id: string, changed: object, generation: number): Promise<void> {
    const document = await shared.ask(`/session-${id}`);
    const _rev = `${generation}-${randomBytes(16).toString("hex")}`;
    await shared.ask("/_bulk_docs", "POST", { docs: [{ ...document, ...changed, _rev }], new_edits: false });
    expect((await shared.ask(`/session-${id}?conflicts=true`))._conflicts).toHaveLength(1);
  }

  test("F3: a URL that names the database says so", async () => {
    await open(shared.settings()).setup();
    const { url: base } = shared.settings();
    const driver = open({ ...shared.settings({ url: `${base}/${shared.database}` }), fromUrl: true });
    for (const error of await Promise.all([driver.setup(), driver.ping()].map(failure))) {
      expect(error.message).toBe("COUCHDB_URL: its path must not name the database (COUCHDB_DATABASE does)");
    }
  });

  test("P6: check finds a design document that is missing or another; setup mends it and keeps the sessions", async () => {
    const driver = open(shared.settings());
    await driver.setup();
    const row = await createRow(driver, { userid: "kept" });
    const design = await shared.ask("/_design/sessions");
    await shared.ask("/_design/sessions", "PUT", { ...design, views: { by_user: { map: "function (doc) {}" } } });
    expect((await failure(driver.check())).message).toMatch(
      /_design\/sessions is not as in schema\.json: run "npm run sessions -- setup"/,
    );
    await driver.setup();
    await driver.check();
    expect(await driver.listByUser("kept", START, 10)).toEqual([infoOf(row)]);
  });

  test("P6: setup leaves a design document alone that is right: its indexes need not be built again", async () => {
    const driver = open(shared.settings());
    await driver.setup();
    const { _rev } = await shared.ask("/_design/sessions");
    await driver.setup();
    expect((await shared.ask("/_design/sessions"))._rev).toBe(_rev);
  });

  test("S10: a change after a read in the same process is one request; others' changes are found out and kept", async () => {
    const [one, other] = [open(shared.settings()), open(shared.settings())];
    await one.setup();
    const row = await createRow(one, { data: '{"a":1}' });
    for (let n = 0; n < 5; n++) {
      expect((await existing(one, row.id)).id).toBe(row.id);
      expect(await other.change(row.id, { now: START, set: set({ [`other ${n}`]: n }) })).toBe("done");
      expect(await one.change(row.id, { now: START, set: set({ [`one ${n}`]: n }) })).toBe("done");
    }
    expect(Object.keys(JSON.parse((await existing(other, row.id)).data) as object)).toHaveLength(11);
    // What is remembered never refuses a change: only what has just been read does.
    const { version } = await existing(one, row.id);
    const renewed = newHash();
    expect(await other.change(row.id, { now: START, secretHash: renewed })).toBe("done");
    expect(
      await one.change(row.id, { now: START, set: set({ b: 1 }), ifVersion: version + 1, ifSecretHash: renewed }),
    ).toBe("done");
    expect(await other.end(row.id)).toBe(true);
    expect(await one.change(row.id, { now: START, set: set({ c: 1 }) })).toBe("gone");
    expect(await stored(one, row.id)).toBeUndefined();
  });

  test.each([
    ["the loser", 1],
    ["the winner", 9],
  ])("S14: a conflict that a cluster left, with %s on the other side, ends with its session", async (_, generation) => {
    const driver = open(shared.settings());
    await driver.setup();
    const row = await createRow(driver, { userid: "twice", data: '{"a":1}' });
    await driver.change(row.id, { now: START, set: set({ b: 2 }) });
    await leaveConflict(row.id, { data: '{"other":1}' }, generation);
    expect(await open(shared.settings()).end(row.id)).toBe(true);
    expect(await stored(driver, row.id)).toBeUndefined();
    expect(await driver.change(row.id, { now: START, set: set({ c: 1 }) })).toBe("gone");
    expect(await driver.listByUser("twice", START, 10)).toEqual([]);
  });

  test("S10, S24: a change drops a conflict's loser; endByUser and endAll leave none", async () => {
    const driver = open(shared.settings());
    await driver.setup();
    const row = await createRow(driver, { userid: "many", data: '{"a":1}' });
    await leaveConflict(row.id, { data: '{"other":1}' }, 1);
    expect((await existing(driver, row.id)).id).toBe(row.id);
    expect(await driver.change(row.id, { now: START, set: set({ b: 1 }) })).toBe("done");
    expect((await shared.ask(`/session-${row.id}?conflicts=true`))._conflicts).toBeUndefined();
    await leaveConflict(row.id, {}, 1);
    expect(await driver.endByUser("many", 10)).toEqual([row.id]);
    expect(await stored(driver, row.id)).toBeUndefined();
    const another = await createRow(driver);
    await leaveConflict(another.id, {}, 1);
    expect(await driver.endAll(10)).toBe(1);
    expect(await stored(driver, another.id)).toBeUndefined();
  });

  test.each([
    ["a user that is no JSON", { user: "alice" }],
    ["a user that is no text", { user: 5 }],
    ["a secret hash that is no text", { secretHash: 5 }],
  ])("F5: %s is UnreadableRow, is listed, and can be ended", async (_, spoilt) => {
    const { driver, row } = await spoiltSession(spoilt);
    expect(await failure(driver.read(row.id, { now: START }))).toBeInstanceOf(UnreadableRow);
    expect(await failure(open(shared.settings()).change(row.id, { now: START }))).toBeInstanceOf(UnreadableRow);
    expect((await listAll(driver)).map(({ id }) => id)).toEqual([row.id]);
    await driver.stats(START);
    expect(await driver.end(row.id)).toBe(true);
  });

  test.each([
    ["data that is no JSON", { data: "{" }, { data: "{" }, true],
    ["a time that is no number", { expires: "soon" }, { expires: "soon" }, true],
    ["a version that is missing", { version: undefined }, { version: undefined }, true],
    ["a secret hash of 3 bytes", { secretHash: "AAAA" }, { secretHash: new Uint8Array(3) }, false],
    ["an address that is missing", { ipaddress: undefined }, { ipaddress: undefined }, false],
  ])("F5: %s is left for the runtime to judge, but is not changed by counting on", async (...given) => {
    const [, spoilt, decoded, isRefused] = given;
    const { driver, row } = await spoiltSession(spoilt);
    expect(await driver.read(row.id, { now: START })).toMatchObject(decoded);
    const change = { now: START, set: set({ a: 1 }), touch: { lifetime: HOUR } };
    const changed = await changing(open(shared.settings()), row.id, change).catch((error: unknown) => error);
    expect(changed instanceof UnreadableRow).toBe(isRefused);
    await driver.stats(START);
    expect(await driver.end(row.id)).toBe(true);
  });

  async function spoiltSession(spoilt: object): Promise<{ driver: SessionDriver; row: SessionRow }> {
    const driver = open(shared.settings());
    await driver.setup();
    const row = await createRow(driver, { userid: "spoilt" });
    const path = `/session-${row.id}`;
    await shared.ask(path, "PUT", { ...(await shared.ask(path)), ...spoilt });
    return { driver, row };
  }

  test("F1: a second session with the same id is refused for that reason", async () => {
    const driver = open(shared.settings());
    await driver.setup();
    const row = await createRow(driver, { userid: "first" });
    const error = await failure(driver.create({ ...newRow({ userid: "second" }), id: row.id }));
    expect(error.message).toBe(`There is a session ${row.id} already.`);
    expect(error).not.toBeInstanceOf(StoreUnavailable);
    expect((await existing(driver, row.id)).userid).toBe("first");
  });

  test("S15: a list of a user's sessions is one request, and brings neither data nor hashes", async () => {
    const driver = open(shared.settings());
    await driver.setup();
    const data = JSON.stringify({ large: "x".repeat(10_000) });
    for (let number = 0; number < 5; number++) await createRow(driver, { userid: "lister", data });
    let received = 0;
    let requests = 0;
    const url = await proxy(shared.settings().url, (_, response) => {
      requests++;
      const write = response.write.bind(response);
      response.write = ((chunk: Buffer) => {
        received += chunk.length;
        return write(chunk);
      }) as typeof response.write;
      return false;
    });
    expect(await open(shared.settings({ url })).listByUser("lister", START, 10)).toHaveLength(5);
    expect(requests).toBe(1);
    expect(received).toBeGreaterThan(0);
    expect(received).toBeLessThan(10_000);
  });
});
