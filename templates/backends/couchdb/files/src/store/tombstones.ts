// Purges what CouchDB keeps of deleted documents, since the database would grow forever otherwise.
// Change it if your sessions are replicated: a replication doesn't carry purges.

import type { CouchdbClient } from "./client.ts";
import { meansPurgeRefused } from "./errors.ts";

/** CouchDB's own limit for one request (purge/max_document_id_number). */
const MAX_PURGED_AT_ONCE = 100;
/** How many tombstones are remembered while purging fails. More than these stay in the database. */
const MAX_REMEMBERED = 10_000;

interface Tombstone {
  id: string;
  /** The tombstone's revision, and the one before it, which a node that missed the deletion would bring back. */
  revs: string[];
}

/** The tombstones that this process has left. Those of a process that crashed stay in the database. */
export class Tombstones {
  readonly #client: CouchdbClient;
  #waiting: Tombstone[] = [];
  #isRefused = false;

  constructor(client: CouchdbClient) {
    this.#client = client;
  }

  add(id: string, revs: string[]): void {
    if (!this.#isRefused && this.#waiting.length < MAX_REMEMBERED) this.#waiting.push({ id, revs });
  }

  /** Whether there are enough of them for a request. */
  get isDue(): boolean {
    return this.#waiting.length >= MAX_PURGED_AT_ONCE;
  }

  /** When it rejects, the tombstones wait for the next time. When CouchDB refuses for good, it warns and doesn't ask again. */
  async purge(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_PURGED_AT_ONCE);
      const body = new Map<string, string[]>();
      for (const { id, revs } of batch) body.set(id, [...(body.get(id) ?? []), ...revs]);
      try {
        const call = { method: "POST", path: "_purge", field: "purged" } as const;
        await this.#client.request({ ...call, body: Object.fromEntries(body) });
      } catch (error) {
        if (!meansPurgeRefused(error)) {
          this.#waiting.unshift(...batch);
          throw error;
        }
        this.#isRefused = true;
        this.#waiting = [];
        process.emitWarning(
          "CouchDB lets only server admins purge: the tombstones of ended sessions stay, about 200 bytes each.",
        );
      }
    }
  }
}
