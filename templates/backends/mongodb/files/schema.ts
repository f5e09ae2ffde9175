// The sessions' collection: what a document looks like, and the indexes, made at start (or by `npm run sessions -- setup`).
// Add a field or an index here, a field also in src/store/document.ts and driver.ts.

import type { Binary, IndexDescription } from "mongodb";

export interface SessionDocument {
  _id: string;
  /** SHA-256 of the token's secret, which is stored nowhere. */
  secretHash: Binary;
  userid: string | null;
  /** Seconds since 1970, as all times but `expires`. */
  created: number;
  updated: number;
  authenticated: number;
  idle: number;
  /** A date, for MongoDB to remove the document by. */
  expires: Date;
  ipaddress: string;
  useragent: string;
  /** Key to JSON text (see src/store/stored-data.ts). */
  data: Record<string, string>;
  version: number;
}

export const indexes: IndexDescription[] = [
  // "My devices", and signing a user out everywhere.
  { name: "user", key: { userid: 1, created: -1 } },
  // A minute later, as clocks differ.
  { name: "expiry", key: { expires: 1 }, expireAfterSeconds: 60 },
];
