// What CouchDB keeps of deleted documents, and how it is made to forget it: otherwise the database would grow for ever.
// Change it if your sessions are replicated: a purge isn't, so the copies keep their tombstones.

import type { CouchdbClient } from "./couchdb-client.ts";
import { statusOf } from "./couchdb-errors.ts";

/** What CouchDB 3 takes in one request unless it is set otherwise (purge/max_document_id_number). */
const BATCH = 100;
/** Bad request, not allowed, not known, not there: a server that can't, or a user who may not. */
const REFUSED = [400, 401, 403, 404, 405, 501];

/** The tombstones of this process's deletions. Those of a process that crashed before it came to them stay: about 200 bytes each. */
export class Tombstones {
  readonly #client: CouchdbClient;
  #waiting: { id: string; rev: string }[] = [];
  #refused = false;

  constructor(client: CouchdbClient) {
    this.#client = client;
  }

  add(id: string, rev: string): void {
    if (!this.#refused) this.#waiting.push({ id, rev });
  }

  get due(): boolean {
    return this.#waiting.length >= BATCH;
  }

  /** Rejects when CouchDB can't be reached; they wait for the next time then. */
  async purge(signal: AbortSignal): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH);
      const revisions = new Map<string, string[]>();
      for (const { id, rev } of batch) revisions.set(id, [...(revisions.get(id) ?? []), rev]);
      try {
        const body = Object.fromEntries(revisions);
        await this.#client.request({ method: "POST", path: "_purge", body, field: "purged" }, signal);
      } catch (error) {
        this.#refused = REFUSED.includes(statusOf(error) ?? 0);
        if (!this.#refused) {
          this.#waiting.push(...batch);
          throw error;
        }
        this.#waiting = [];
      }
    }
  }
}
