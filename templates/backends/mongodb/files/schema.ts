// The sessions' collection in MongoDB's own terms: what a document looks like, and its indexes.
// Indexes are made at start when missing, or by hand: `npm run sessions -- setup`. Add one here, a field also in src/session/driver.ts.

import type { Binary, IndexDescription } from "mongodb";

export interface SessionDocument {
  _id: string;
  /** SHA-256 of the token's secret, 32 bytes. The secret is nowhere. */
  secretHash: Binary;
  userid: string | null;
  /** Seconds since 1970, as all times but `expires`. */
  created: number;
  updated: number;
  authenticated: number;
  idle: number;
  /** A date, since only dates let MongoDB remove documents by itself. */
  expires: Date;
  ipaddress: string;
  useragent: string;
  /** Key to JSON text (see src/session/stored-data.ts). */
  data: Record<string, string>;
  version: number;
}

export const indexes: IndexDescription[] = [
  // "My devices", and signing a user out everywhere.
  { name: "user", key: { userid: 1, created: -1 } },
  // MongoDB removes what has expired, a minute later: in its last second a session still lives, and clocks differ.
  { name: "expiry", key: { expires: 1 }, expireAfterSeconds: 60 },
];
