// How many sessions a user may have: beyond `maxPerUser` the oldest go.
// Change here which of them have to go.
import type { SessionContext } from "./unit-of-work.ts";

/** More than these are looked at together only where the limit has been lowered; later sign-ins see to the rest. */
const MANY = 100;

/** @param keep the id of the session that has just been signed in */
export async function endOldest(context: SessionContext, userid: string, keep: string): Promise<void> {
  const { settings, guard, emit, now } = context;
  const { maxPerUser } = settings;
  if (maxPerUser === 0) return;
  const rows = await guard.run((driver) => driver.listByUser(userid, now(), maxPerUser + MANY));
  const others = rows.filter((row) => row.id !== keep);
  for (const { id } of others.slice(maxPerUser - 1)) {
    const removed = await guard.run((driver) => driver.end(id));
    if (removed) emit({ type: "ended", id, userid, reason: "limit" });
  }
}
