// How the drivers' suite opens a memory store: every driver is a store of its own.
// Change it when the store gets another setting.

import type { Fixture } from "../../../test/drivers/fixture.ts";
import { createDriver } from "./files/src/store/driver.ts";

export default {
  capabilities: { sharedStore: false, nativeExpiry: false, touchesOnRead: true, needsSetup: false },
  environment: () => ({}),
  async open() {
    return {
      driver: async () => createDriver({ maxSessions: 10_000 }, 5000),
      cleanUp: async () => {},
    };
  },
} satisfies Fixture;
