// Starts the keeper of the test servers before the suites, which all share it. The keeper and its servers end with the run.
// Change it when something else has to be there for a whole run.

import { startKeeper } from "./server.ts";

export default async function setup(): Promise<void> {
  process.env.TEST_SERVERS ??= await startKeeper();
}
