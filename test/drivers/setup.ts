// What drivers promise about their beginning and end: setup, check, ping, close.
// Change it when a driver's life gets another step.

import { expect, test } from "vitest";
import type { SessionDriver } from "../../runtime/src/session/contract.ts";
import type { Subject } from "./conformance.ts";
import type { OpenStore } from "./fixture.ts";
import { comparable, createRow, reading, START, stored } from "./rows.ts";

export function setup(subject: Subject): void {
  async function withStore(
    work: (store: OpenStore, open: () => Promise<SessionDriver>) => Promise<void>,
  ): Promise<void> {
    const store = await subject.open();
    const drivers: SessionDriver[] = [];
    const open = async () => {
      const driver = await store.driver();
      drivers.push(driver);
      return driver;
    };
    try {
      await work(store, open);
    } finally {
      await Promise.all(drivers.map((driver) => driver.close()));
      await store.cleanUp();
    }
  }

  test("P6: check fails before setup, with a line that says what is missing, and passes after it", async () => {
    await withStore(async (_, open) => {
      const driver = await open();
      if (subject.capabilities.needsSetup) {
        const error = await driver.check().then(
          () => undefined,
          (reason: unknown) => reason,
        );
        expect(error).toBeInstanceOf(Error);
        expect((error as Error).message).toMatch(/^[^\n]{10,300}$/);
      }
      await driver.setup();
      await driver.check();
    });
  });

  test("P6: setup may run twice and keeps what is stored", async () => {
    await withStore(async (_, open) => {
      const driver = await open();
      await driver.setup();
      const row = await createRow(driver, { userid: "kept" });
      await driver.setup();
      await (subject.capabilities.sharedStore ? await open() : driver).setup();
      await driver.check();
      expect(comparable(await stored(driver, row.id))).toEqual(comparable(row));
      expect(await driver.listByUser("kept", START, 10)).toHaveLength(1);
    });
  });

  test("P6, F7: several processes may set up at once", async () => {
    await withStore(async (_, open) => {
      const drivers = await Promise.all([open(), open(), open(), open(), open()]);
      await Promise.all(drivers.map((driver) => driver.setup()));
      await Promise.all(drivers.map((driver) => driver.check()));
      const [first, last] = [drivers[0], drivers.at(-1)] as [SessionDriver, SessionDriver];
      const row = await createRow(first);
      expect(comparable(await stored(subject.capabilities.sharedStore ? last : first, row.id))).toEqual(
        comparable(row),
      );
    });
  });

  test("F1: ping answers while the store does", async () => {
    await expect(subject.a.ping()).resolves.toBeUndefined();
  });

  test("F4: close twice is fine, in parallel too; afterwards calls reject instead of hanging", async () => {
    await withStore(async (_, open) => {
      const driver = await open();
      await driver.setup();
      const row = await createRow(driver);
      const other = subject.capabilities.sharedStore ? await open() : undefined;
      await Promise.all([driver.close(), driver.close()]);
      await driver.close();
      await expect(reading(driver, row.id, { now: START })).rejects.toThrow();
      await expect(driver.ping()).rejects.toThrow();
      if (other) expect(comparable(await stored(other, row.id))).toEqual(comparable(row));
    });
  });
}
