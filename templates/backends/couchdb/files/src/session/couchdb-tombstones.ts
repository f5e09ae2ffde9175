// What CouchDB keeps of deleted documents, and how it is made to forget it: otherwise the database would grow for ever.
// Change it if your sessions are replicated: a purge isn't, so the copies keep their tombstones.

import type { CouchdbClient } from "./couchdb-client.ts";
import { statusOf } from "./couchdb-errors.ts";

/** What CouchDB 3 takes in one request unless it is set otherwise (purge/max_document_id_number). */
const BATCH = 100;
/** A user who may not, or a server that can't: for good, as against a proxy or a node that fails for a moment. */
const REFUSED = [400, 403, 405, 501];
/** Tombstones remembered while purging fails; what is beyond stays in the database. */
const REMEMBERED = 10_000;

/** The tombstones of this process's deletions. Those of a process that crashed before it came to them stay: about 200 bytes each. */
export class Tombstones {
  readonly #client: CouchdbClient;
  #waiting: { id: string; revs: string[] }[] = [];
  #refused = false;

  constructor(client: CouchdbClient) {
    this.#client = client;
  }

  /** `revs`: the tombstone's and the one that it replaced, which a node that missed the deletion would bring back. */
  add(id: string, revs: string[]): void {
    if (!this.#refused && this.#waiting.length < REMEMBERED) this.#waiting.push({ id, revs });
  }

  get due(): boolean {
    return this.#waiting.length >= BATCH;
  }

  /** Rejects when CouchDB can't be reached; they wait for the next time then. */
  async purge(signal: AbortSignal): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH);
      const revisions = new Map<string, string[]>();
      for (const { id, revs } of batch) revisions.set(id, [...(revisions.get(id) ?? []), ...revs]);
      try {
        const body = Object.fromEntries(revisions);
        await this.#client.request({ method: "POST", path: "_purge", body, field: "purged" }, signal);
      } catch (error) {
        if (!REFUSED.includes(statusOf(error) ?? 0)) {
          this.#waiting.push(...batch);
          throw error;
        }
        this.#refused = true;
        this.#waiting = [];
        process.emitWarning(
          "CouchDB lets only server admins purge: the tombstones of ended sessions stay (see README.md).",
        );
      }
    }
  }
}
