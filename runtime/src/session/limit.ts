// How many sessions a user may have: beyond `maxPerUser` those go that were signed in the longest ago.
// Change here which of them have to go.
import type { SessionRow } from "./store.ts";
import type { SessionContext } from "./unit-of-work.ts";

/** More than these are looked at together only where the limit has been lowered; later sign-ins see to the rest. */
const MANY = 100;

/**
 * Ends what stands beyond the limit. All sign-ins agree on who that is, so that of several at the same time, in whatever
 * process, as many are left as may be: the one that asks (`id`) may be among those that go, and then this is true.
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
    // The sign-in itself is stored, and can't be taken back by an answer that says otherwise.
    emit({ type: "warning", message: `The limit of sessions per user was not enforced: ${(error as Error).message}` });
  }
  return isOver;
}

function byLatestSignIn(one: SessionRow, other: SessionRow): number {
  return other.authenticated - one.authenticated || other.created - one.created || (one.id < other.id ? -1 : 1);
}
