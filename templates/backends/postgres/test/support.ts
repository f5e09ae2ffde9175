// What tests of the PostgreSQL driver's settings share: a driver that is closed after the test, and what a refusal looks like.
// Change it when an error for the one who runs the app gets another form.

import { expect } from "vitest";
import { type SessionDriver, StoreUnavailable } from "../../../../runtime/src/session/contract.ts";
import { drivers, failure, PASSWORD } from "../../../../test/drivers/broken.ts";
import { createDriver } from "../files/src/store/driver.ts";
import type { StoreSettings } from "../files/src/store/settings.ts";

export const TIMEOUT_MS = 1000;

export function open(settings: StoreSettings): SessionDriver {
  const driver = createDriver(settings, TIMEOUT_MS);
  drivers.push(driver);
  return driver;
}

/** One line that names the setting and not the password, from every call alike. */
export async function expectRefusal(settings: StoreSettings, line: RegExp): Promise<void> {
  const driver = open(settings);
  const calls = [driver.setup(), driver.check(), driver.ping(), driver.end("x")];
  for (const error of await Promise.all(calls.map(failure))) {
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(error.message).toMatch(/^[^\n]{10,300}$/);
    expect(error.message).toMatch(line);
    expect(error.message).not.toContain(settings.password || PASSWORD);
  }
}
