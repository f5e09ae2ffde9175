// Before the suites: starts the keeper that all of them share. It ends with the run, and its servers with it.
// Change it when something else must be there for a whole run.

import { startKeeper } from "./server.ts";

export default async function setup(): Promise<void> {
  process.env.TEST_SERVERS ??= await startKeeper();
}
