// The Redis that the tests use: the app's, with a prefix of their own.
// Change it to test against another server, or set TEST_REDIS_URL.

import { Environment, loadEnvironment } from "../src/http/environment.ts";
import { createDriver } from "../src/store/driver.ts";
import { readStoreSettings } from "../src/store/settings.ts";

const { TEST_REDIS_URL, REDIS_URL, REDIS_SENTINELS } = loadEnvironment();
const url = TEST_REDIS_URL ?? REDIS_URL;

export const testEnvironment: Record<string, string> = {
  ...(url !== undefined && { REDIS_URL: url }),
  ...(REDIS_SENTINELS !== undefined && { REDIS_SENTINELS }),
  REDIS_PREFIX: `test-${process.pid}`,
};

/** Ends the tests' sessions. With the last one, all keys of the tests go. */
export async function cleanUp(): Promise<void> {
  const driver = createDriver(readStoreSettings(new Environment(testEnvironment)), 5000);
  while ((await driver.endAll(1000)) === 1000);
  await driver.close();
}
