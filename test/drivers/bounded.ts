// Calls a driver as the runtime does: for as long as a request may wait, and no longer.
// Change it when the runtime bounds its calls in another way.

import type { SessionDriver } from "../../runtime/src/session/contract.ts";
import { Guard } from "../../runtime/src/session/guard.ts";

/** A call that takes longer than `timeout` milliseconds rejects with StoreUnavailable. */
export type Bounded = <Result>(work: (driver: SessionDriver) => Result | Promise<Result>) => Promise<Result>;

export function bounded(driver: SessionDriver, timeout: number): Bounded {
  const guard = new Guard(driver, timeout, () => undefined);
  return (work) => guard.run(async (guarded) => work(guarded));
}

/** Whether the store does what requests need, within `timeout` milliseconds. */
export async function isUp(driver: SessionDriver, timeout: number): Promise<boolean> {
  return await bounded(
    driver,
    timeout,
  )((guarded) => guarded.ping()).then(
    () => true,
    () => false,
  );
}
