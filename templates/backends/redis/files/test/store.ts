// The Redis that the tests use: the app's, with a prefix of their own.
// Change it to test against another server, or set TEST_REDIS_URL.

import { Environment } from "../src/http/environment.ts";
import { createDriver } from "../src/store/driver.ts";
import { readStoreSettings } from "../src/store/settings.ts";

const url = process.env.TEST_REDIS_URL ?? process.env.REDIS_URL;

export const testEnvironment: Record<string, string> = {
  ...(url !== undefined && { REDIS_URL: url }),
  ...(process.env.REDIS_SENTINELS !== undefined && { REDIS_SENTINELS: process.env.REDIS_SENTINELS }),
  REDIS_PREFIX: `test-${process.pid}`,
};

/** Ends the tests' sessions. With the last one, all keys of the tests go. */
export async function cleanUp(): Promise<void> {
  const driver = createDriver(readStoreSettings(new Environment(testEnvironment)), 5000);
  while ((await driver.endAll(1000)) > 0);
  await driver.close();
}
