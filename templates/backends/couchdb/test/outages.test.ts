// How the CouchDB driver bears a server that hangs or dies.
// Change it when the client learns another way to be interrupted.

import { afterEach, describe, expect, test } from "vitest";
import { StoreUnavailable } from "../../../../runtime/src/session/contract.ts";
import { isUp } from "../../../../test/drivers/bounded.ts";
import { failure } from "../../../../test/drivers/broken.ts";
import { comparable, createRow, existing, HOUR, infoOf, START, set } from "../../../../test/drivers/rows.ts";
import { waitFor } from "../../../../test/drivers/waiting.ts";
import { type FreshServer, freshServer } from "../../../../test/servers/server.ts";
import { Environment } from "../../../base/files/src/http/environment.ts";
import { readStoreSettings, type StoreSettings } from "../files/src/store/settings.ts";
import { open, TIMEOUT } from "./support.ts";

describe("couchdb driver on a server of its own", () => {
  let own: FreshServer | undefined;

  async function start(): Promise<StoreSettings> {
    own = await freshServer("couchdb", { durable: true });
    if (!own) throw new Error("no couchdb server here");
    return readStoreSettings(new Environment({ COUCHDB_URL: own.url }));
  }

  afterEach(async () => await own?.stop());

  test("F1: a hung server is StoreUnavailable in time, over and over, and works as soon as it goes on", async () => {
    const driver = open(await start(), TIMEOUT);
    await driver.setup();
    const row = await createRow(driver);
    await own?.pause();
    // Every request has a limit of its own, so no call hangs for good, with or without the runtime's limit.
    for (let round = 0; round < 2; round++) {
      const works = Array.from({ length: 12 }, (_, index) =>
        failure(
          index % 2 ? driver.read(row.id, { now: START }) : driver.change(row.id, { now: START, set: set({ index }) }),
        ),
      );
      for (const error of await Promise.all(works)) expect(error).toBeInstanceOf(StoreUnavailable);
    }
    await own?.resume();
    await waitFor(() => isUp(driver, TIMEOUT));
    await waitFor(async () => (await driver.change(row.id, { now: START, touch: { lifetime: HOUR } })) === "done");
    expect((await existing(driver, row.id)).id).toBe(row.id);
  });

  test("F1, F3: a killed server is StoreUnavailable at once; the app finds it when it is back, and sets it up", async () => {
    const driver = open(await start(), TIMEOUT);
    await driver.setup();
    const row = await createRow(driver);
    await own?.kill();
    const works = [driver.ping(), driver.read(row.id, { now: START }), driver.end(row.id), driver.purge(START, 1)];
    for (const error of await Promise.all(works.map(failure))) expect(error).toBeInstanceOf(StoreUnavailable);
    await own?.restart();
    await waitFor(
      async () =>
        await driver.setup().then(
          () => true,
          () => false,
        ),
    );
    if (own?.keepsData) expect(comparable(await existing(driver, row.id))).toEqual(comparable(row));
    const later = await createRow(driver, { userid: "later" });
    expect(await driver.listByUser("later", START, 10)).toEqual([infoOf(later)]);
  });
});
