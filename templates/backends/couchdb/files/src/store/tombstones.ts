// Purges what CouchDB keeps of deleted documents: otherwise the database would grow for ever.
// Change it if your sessions are replicated: a purge isn't.

import type { CouchdbClient } from "./client.ts";
import { statusOf } from "./errors.ts";

/** CouchDB 3's default limit (purge/max_document_id_number). */
const BATCH = 100;
/** The user may not, or the server can't, for good. */
const REFUSED = [400, 403, 405, 501];
/** At most, while purging fails; more stay in the database. */
const REMEMBERED = 10_000;

/** The tombstones of this process's deletions; those of one that crashed stay. */
export class Tombstones {
  readonly #client: CouchdbClient;
  #waiting: { id: string; revs: string[] }[] = [];
  #refused = false;

  constructor(client: CouchdbClient) {
    this.#client = client;
  }

  /** `revs`: the tombstone's, and the one before, which a node that missed the deletion would bring back. */
  add(id: string, revs: string[]): void {
    if (!this.#refused && this.#waiting.length < REMEMBERED) this.#waiting.push({ id, revs });
  }

  get due(): boolean {
    return this.#waiting.length >= BATCH;
  }

  /** When it rejects, what is left waits for the next time. */
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
