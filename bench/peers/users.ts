// How long it takes to list and to end a user's sessions, in the process that serves.
// Change it to measure another action of an administrator.

import { quantile } from "../measuring/compare.ts";
import { rounded } from "../measuring/results.ts";

/** Milliseconds. */
export interface UserTimes {
  users: number;
  /** Sessions of all of them together. */
  sessions: number;
  list: { p50: number; p99: number };
  end: { p50: number; p99: number };
}

interface Administration {
  list(userid: string): Promise<unknown[]>;
  endByUser(userid: string): Promise<number>;
}

/** One user after the other. Their sessions are gone afterwards. */
export async function timesByUser(sessions: Administration, users: readonly string[]): Promise<UserTimes> {
  const listTimes: number[] = [];
  const endTimes: number[] = [];
  let ended = 0;
  for (const user of users) {
    const begun = performance.now();
    await sessions.list(user);
    listTimes.push(performance.now() - begun);
  }
  for (const user of users) {
    const begun = performance.now();
    ended += await sessions.endByUser(user);
    endTimes.push(performance.now() - begun);
  }
  const percentiles = (times: number[]) => ({
    p50: rounded(quantile(times, 0.5)),
    p99: rounded(quantile(times, 0.99)),
  });
  return { users: users.length, sessions: ended, list: percentiles(listTimes), end: percentiles(endTimes) };
}
