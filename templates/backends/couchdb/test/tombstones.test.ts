// What is left of ended sessions in CouchDB: purged where the app's user may, and otherwise no obstacle.
// Change it when tombstones are dealt with in another way.

import { text } from "node:stream/consumers";
import { beforeEach, describe, expect, test } from "vitest";
import { type SessionDriver, StoreUnavailable } from "../../../../runtime/src/session/contract.ts";
import { failure } from "../../../../test/drivers/broken.ts";
import { createRow, createRows, endUser, existing, newRow, START, stored } from "../../../../test/drivers/rows.ts";
import { waitFor } from "../../../../test/drivers/waiting.ts";
import { collectWarnings, open, proxy, SharedServer } from "./support.ts";

const PURGED = { status: 201, body: { purge_seq: null, purged: {} } };
const refusal = (status: number, error: string, reason: string) => ({ status, body: { error, reason } });
const NO_ADMIN = refusal(401, "unauthorized", "You are not a server admin.");
const LOCKED_OUT = refusal(403, "forbidden", "Account is temporarily locked due to multiple authentication failures");

describe("couchdb tombstones", () => {
  const shared = new SharedServer();
  let purged: Record<string, string[]>[] = [];
  let reply = PURGED as { status: number; body: object };

  beforeEach(() => {
    purged = [];
    reply = PURGED;
  });

  /** On the real server, except for `_purge`, which gets `reply`. */
  async function openThere(): Promise<SessionDriver> {
    await open(shared.settings()).setup();
    const url = await proxy(shared.settings().url, (request, response) => {
      if (request.url !== `/${shared.database}/_purge`) return false;
      void text(request).then((body) => {
        purged.push(JSON.parse(body) as Record<string, string[]>);
        response.writeHead(reply.status, { "content-type": "application/json" });
        response.end(JSON.stringify(reply.body));
      });
      return true;
    });
    return open(shared.settings({ url }));
  }

  const ids = () => purged.flatMap((batch) => Object.keys(batch)).sort();

  test("S8: what was ended or has expired is purged, with the revision of its tombstone, at most 100 at once", async () => {
    const driver = await openThere();
    const rows = Array.from({ length: 103 }, () => newRow({ idle: 100 }));
    await createRows(driver, rows);
    const ended = await createRow(driver, { userid: "leaver" });
    const before = await shared.ask(`/session-${ended.id}`);
    expect(await driver.end(ended.id)).toBe(true);
    const kept = await createRow(driver);
    expect(await driver.purge(START + 101, 1000)).toBe(103);
    expect(ids()).toEqual([...rows, ended].map(({ id }) => `session-${id}`).sort());
    for (const batch of purged) expect(Object.keys(batch).length).toBeLessThanOrEqual(100);
    const deleted = (await shared.ask(`/session-${ended.id}?open_revs=all`)) as unknown as { ok: { _rev: string } }[];
    // The revision before it too: a node that has missed the deletion must not bring the session back.
    expect(purged.find((batch) => `session-${ended.id}` in batch)?.[`session-${ended.id}`]).toEqual([
      deleted[0]?.ok._rev,
      before._rev,
    ]);
    expect((await existing(driver, kept.id)).id).toBe(kept.id);
    expect(await driver.purge(START + 101, 1000)).toBe(0);
    expect(ids()).toHaveLength(104);
  });

  test("S8: after 100 endings the tombstones go without waiting for a purge", async () => {
    const driver = await openThere();
    await createRows(
      driver,
      Array.from({ length: 100 }, () => newRow({ userid: "crowd" })),
    );
    await endUser(driver, "crowd");
    expect(ids()).toHaveLength(100);
  });

  test.each([
    ["a password that is changed", refusal(401, "unauthorized", "Name or password is incorrect.")],
    ["a database that is missing", refusal(404, "not_found", "no_db_file")],
    ["a lockout", LOCKED_OUT],
    ["a server that fails", refusal(503, "service_unavailable", "timeout")],
  ])("S8, S14: a purge that fails for a while (%s) ends no session less, and is made up for", async (_, momentary) => {
    reply = momentary;
    const driver = await openThere();
    const rows = Array.from({ length: 100 }, () => newRow());
    await createRows(driver, rows);
    for (const { id } of rows) expect(await driver.end(id)).toBe(true);
    expect(purged).toHaveLength(1);
    expect(await failure(driver.purge(START, 1000))).toBeInstanceOf(StoreUnavailable);
    reply = PURGED;
    purged = [];
    await driver.purge(START, 1000);
    expect(ids()).toEqual(rows.map(({ id }) => `session-${id}`).sort());
  });

  test.each([
    ["that the user is no server admin", NO_ADMIN],
    ["that it is forbidden", refusal(403, "forbidden", "Only admins purge here.")],
    ["that it can't", refusal(501, "not_implemented", "purge")],
  ])(
    "F9, S8: a server that says %s is asked once, and sessions end and are purged all the same",
    async (_, refused) => {
      reply = refused;
      const warnings = collectWarnings();
      const driver = await openThere();
      await createRows(
        driver,
        Array.from({ length: 250 }, () => newRow({ userid: "crowd" })),
      );
      expect(await endUser(driver, "crowd")).toHaveLength(250);
      for (let round = 0; round < 2; round++) {
        await createRows(
          driver,
          Array.from({ length: 600 }, () => newRow({ idle: 100 })),
        );
        expect(await driver.purge(START + 101, 1000)).toBe(600);
      }
      expect(purged).toHaveLength(1);
      await waitFor(() => warnings.length > 0);
      expect(warnings).toEqual([expect.stringMatching(/^CouchDB lets only server admins purge: /)]);
    },
  );

  test.each(["members", "admins"] as const)(
    "F9, P6: a user among the database's %s works as the README sets it up, and is told once about purging",
    async (role) => {
      await open(shared.settings()).setup();
      const user = await shared.newUser(role);
      const warnings = collectWarnings();
      let requests = 0;
      const url = await proxy(user.url, (request) => {
        if (request.url?.endsWith("/_purge")) requests++;
        return false;
      });
      const driver = open({ ...user, url });
      await driver.check();
      await createRows(
        driver,
        Array.from({ length: 250 }, () => newRow({ userid: "crowd" })),
      );
      expect(await endUser(driver, "crowd")).toHaveLength(250);
      const row = await createRow(driver, { idle: 100 });
      expect(await driver.purge(START + 101, 1000)).toBe(1);
      expect(await stored(driver, row.id)).toBeUndefined();
      expect(requests).toBe(1);
      await waitFor(() => warnings.length > 0);
      expect(warnings).toEqual([expect.stringMatching(/^CouchDB lets only server admins purge: /)]);
    },
  );
});
