// Ends the sessions beyond `maxPerUser` that were signed in least recently.
// Change here which of them have to go.
import type { SessionContext } from "./context.ts";
import type { SessionInfo } from "./contract.ts";
import { plausibleInfos } from "./find.ts";

/** How many surplus sessions one sign-in ends. There are more only after the limit was lowered; later sign-ins end the rest. */
const MAX_SURPLUS = 100;

/**
 * Ends the user's sessions beyond the limit. Resolves to whether `id` was among them. All processes agree on the order,
 * so that sign-ins at the same time leave exactly as many sessions as are allowed.
 */
export async function enforceUserLimit(context: SessionContext, userid: string, id: string): Promise<boolean> {
  const { settings, guard, emit, now } = context;
  const { maxPerUser } = settings;
  if (maxPerUser === 0) return false;
  let endedOwn = false;
  try {
    const listed = await guard.run((driver) => driver.listByUser(userid, now(), maxPerUser + MAX_SURPLUS));
    const surplus = plausibleInfos(context, listed).sort(byLatestSignIn).slice(maxPerUser);
    for (const session of surplus) {
      const ended = await guard.run((driver) => driver.end(session.id));
      if (ended) emit({ type: "ended", id: session.id, userid, reason: "limit" });
      endedOwn ||= session.id === id;
    }
  } catch (error) {
    // The sign-in is stored by now: failing the request would deny it.
    emit({ type: "warning", message: `The limit of sessions per user was not enforced: ${(error as Error).message}` });
  }
  return endedOwn;
}

function byLatestSignIn(one: SessionInfo, other: SessionInfo): number {
  return other.authenticated - one.authenticated || other.created - one.created || (one.id < other.id ? -1 : 1);
}
