// The collection of sessions: what a document looks like, and its indexes, which are created at the start when they are missing.
// An index on a column of your own goes here; the column itself goes into src/session-columns.ts.

import type { Binary, IndexDescription } from "mongodb";
import type { SessionColumns } from "./src/session-columns.ts";

/** Times are seconds since 1970, except for `expires`. */
export interface SessionDocument extends SessionColumns {
  _id: string;
  /** SHA-256 of the token's secret. The secret itself is stored nowhere. */
  secretHash: Binary;
  /** null for a guest. */
  userid: string | null;
  created: number;
  updated: number;
  authenticated: number;
  /** In seconds. */
  idle: number;
  /** A date, because MongoDB removes expired documents by dates only. */
  expires: Date;
  ipaddress: string;
  useragent: string;
  /** JSON text by key; src/store/stored-data.ts says how keys are stored. */
  data: Record<string, string>;
  /** Grows with every change. */
  version: number;
}

/** How long MongoDB keeps a document after it has expired, since the clocks of app and server differ. */
const REMOVE_AFTER_SECONDS = 60;

export const indexes: IndexDescription[] = [
  // Lists a user's sessions, and signs the user out everywhere.
  { name: "user", key: { userid: 1, created: -1 } },
  // Removes expired sessions.
  { name: "expiry", key: { expires: 1 }, expireAfterSeconds: REMOVE_AFTER_SECONDS },
];
