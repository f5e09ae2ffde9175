// Ends the sessions beyond `maxPerUser` that were signed in the longest ago.
// Change here which of them have to go.
import type { SessionInfo } from "./contract.ts";
import type { SessionContext } from "./unit-of-work.ts";

/** There are more only after the limit was lowered; later sign-ins end the rest. */
const MANY = 100;

/**
 * Ends what is beyond the limit; whether `id` was among it. All processes agree on the order, so that of parallel
 * sign-ins as many are left as may be.
 */
export async function isBeyondLimit(context: SessionContext, userid: string, id: string): Promise<boolean> {
  const { settings, guard, emit, now } = context;
  const { maxPerUser } = settings;
  if (maxPerUser === 0) return false;
  let isOver = false;
  try {
    const rows = await guard.run((driver) => driver.listByUser(userid, now(), maxPerUser + MANY));
    for (const row of rows.sort(byLatestSignIn).slice(maxPerUser)) {
      if (await guard.run((driver) => driver.end(row.id))) emit({ type: "ended", id: row.id, userid, reason: "limit" });
      isOver ||= row.id === id;
    }
  } catch (error) {
    // The sign-in is stored: an error would deny it.
    emit({ type: "warning", message: `The limit of sessions per user was not enforced: ${(error as Error).message}` });
  }
  return isOver;
}

function byLatestSignIn(one: SessionInfo, other: SessionInfo): number {
  return other.authenticated - one.authenticated || other.created - one.created || (one.id < other.id ? -1 : 1);
}
