// What the memory driver promises beyond the contract: a bound, and which session has to go when it is reached.
// Change it when another session is chosen.

import { expect, test } from "vitest";
import { UNLIMITED } from "../../../../runtime/src/session/contract.ts";
import { comparable, createRow, existing, HOUR, newRow, START, stored } from "../../../../test/drivers/rows.ts";
import { createDriver } from "../files/src/store/driver.ts";

test("F7: at the bound the session that was longest without a request ends", async () => {
  const driver = createDriver({ maxSessions: 3 }, 5000);
  const [first, second, third] = [await createRow(driver), await createRow(driver), await createRow(driver)];
  const touch = { lifetime: UNLIMITED, every: 60, secretHash: first.secretHash };
  await driver.read(first.id, { now: START + 60, touch });
  await driver.change(second.id, { now: START + 61, touch });
  await createRow(driver, { userid: "late" });
  expect(await stored(driver, third.id)).toBeUndefined();
  await createRow(driver);
  expect(await stored(driver, first.id)).toBeUndefined();
  expect((await driver.stats(START)).live).toBe(3);
  expect((await existing(driver, second.id)).updated).toBe(START + 61);
});

test("F7: what has expired goes before any that lives", async () => {
  const driver = createDriver({ maxSessions: 3 }, 5000);
  const [old] = [
    await createRow(driver, { idle: 10 * HOUR }),
    await createRow(driver, { idle: 60 }),
    await createRow(driver, { idle: 60 }),
  ];
  await driver.create(newRow({ created: START + HOUR }));
  expect(comparable(await stored(driver, old.id))).toEqual(comparable(old));
  expect(await driver.stats(START + HOUR)).toMatchObject({ live: 2, expired: 0 });
});

test("F6: a flood of sessions stays within the bound", async () => {
  const driver = createDriver({ maxSessions: 100 }, 5000);
  for (let number = 0; number < 5000; number++) await createRow(driver, { userid: `user ${number % 10}` });
  expect(await driver.stats(START)).toMatchObject({ live: 100, signedIn: 100 });
  expect(await driver.listByUser("user 3", START, 100)).toHaveLength(10);
});

test("S9: what the driver gives out can't be used to change what it holds", async () => {
  const driver = createDriver({ maxSessions: 3 }, 5000);
  const row = await createRow(driver, { userid: "alice" });
  const read = await existing(driver, row.id);
  read.userid = "mallory";
  read.expires = 0;
  for (const listed of await driver.listByUser("alice", START, 10)) listed.ipaddress = "spoilt";
  expect(comparable(await stored(driver, row.id))).toEqual(comparable(row));
});
