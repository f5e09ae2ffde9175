// Reads and writes documents with their revisions, and asks the views of schema.json.
// Change it when schema.json gets another view.

import { CouchdbClient } from "./client.ts";
import { checkDatabase, DESIGN_PATH, setUpDatabase } from "./design.ts";
import { type Document, documentId, encodeUser, INFO_FIELDS, type InfoDocument, LAST_ID } from "./document.ts";
import { absentIfMissing, isConflict } from "./errors.ts";
import type { StoreSettings } from "./settings.ts";
import { Tombstones } from "./tombstones.ts";

interface ViewRow<Value> {
  id: string;
  key: unknown;
  value: Value;
}

export interface Revision {
  id: string;
  rev: string;
}

/** What CouchDB says of one document in a bulk request. */
interface BulkResult {
  id: string;
  ok?: boolean;
  rev?: string;
  error?: string;
  reason?: string;
}

export class CouchdbDatabase {
  readonly #client: CouchdbClient;
  readonly #settings: StoreSettings;
  readonly #tombstones: Tombstones;

  constructor(settings: StoreSettings, timeout: number) {
    this.#settings = settings;
    this.#client = new CouchdbClient(settings, timeout);
    this.#tombstones = new Tombstones(this.#client);
  }

  setup(): Promise<void> {
    return setUpDatabase(this.#client);
  }

  check(): Promise<void> {
    return checkDatabase(this.#client, this.#settings);
  }

  async ping(): Promise<void> {
    await this.#client.request({ field: "db_name" });
  }

  async load(id: string): Promise<Document | undefined> {
    const path = encodeURIComponent(documentId(id));
    return await absentIfMissing(this.#client.request<Document>({ path, query: { conflicts: true }, field: "_id" }));
  }

  /** Returns undefined if somebody else has written the document first. */
  async write(document: Document): Promise<Document | undefined> {
    const path = encodeURIComponent(document._id);
    try {
      const call = { method: "PUT", path, body: document, field: "rev" } as const;
      const { rev } = await this.#client.request<{ rev: string }>(call);
      return { ...document, _rev: rev };
    } catch (error) {
      if (isConflict(error)) return undefined;
      throw error;
    }
  }

  /** Returns the ids of the documents that were still there in these revisions. */
  async remove(revisions: readonly Revision[]): Promise<string[]> {
    if (revisions.length === 0) return [];
    const docs = revisions.map(({ id, rev }) => ({ _id: id, _rev: rev, _deleted: true }));
    const results = await this.#client.request<BulkResult[]>({
      method: "POST",
      path: "_bulk_docs",
      body: { docs },
      field: "array",
    });
    const refused = results.find(({ error }) => error !== undefined && error !== "conflict" && error !== "not_found");
    if (refused) throw new Error(`CouchDB doesn't delete ${refused.id}: ${refused.reason ?? refused.error}`);
    const removed: string[] = [];
    // The results are in the order of `docs`.
    for (const [index, { id, ok, rev = "" }] of results.entries()) {
      if (!ok) continue;
      removed.push(id);
      this.#tombstones.add(id, [rev, revisions[index]?.rev ?? ""]);
    }
    // The sessions have ended, whether or not the purge succeeds.
    if (this.#tombstones.isDue) await this.purgeTombstones().catch(() => undefined);
    return removed;
  }

  purgeTombstones(): Promise<void> {
    return this.#tombstones.purge();
  }

  /** A user's sessions, expired ones too, newest first. */
  async byUser(userid: string, limit?: number): Promise<InfoDocument[]> {
    const user = encodeUser(userid);
    const query = { startkey: [user, {}], endkey: [user], descending: true, ...(limit !== undefined && { limit }) };
    return (await this.#view<InfoDocument>("by_user", query)).map(({ value }) => value);
  }

  async expiredBefore(time: number, limit: number): Promise<Revision[]> {
    const rows = await this.#view<string>("by_expiry", { endkey: time - 1, limit, reduce: false });
    return rows.map(({ id, value }) => ({ id, rev: value }));
  }

  async countExpiredBefore(time: number): Promise<number> {
    const [row] = await this.#view<number>("by_expiry", { endkey: time - 1, reduce: true });
    return row?.value ?? 0;
  }

  /** The sessions behind the one with the id `after`, in the order of their ids. CouchDB doesn't send their data. */
  async infosAfter(after: string, limit: number): Promise<InfoDocument[]> {
    const selector = { _id: { $gt: documentId(after), $lt: LAST_ID } };
    const body = { selector, fields: INFO_FIELDS, sort: [{ _id: "asc" }], limit };
    const call = { method: "POST", path: "_find", body, field: "docs" } as const;
    return (await this.#client.request<{ docs: InfoDocument[] }>(call)).docs;
  }

  /** Any of the sessions. */
  async some(limit: number): Promise<Revision[]> {
    const query = { startkey: documentId(""), endkey: LAST_ID, limit };
    const call = { path: "_all_docs", query, field: "rows" } as const;
    const { rows } = await this.#client.request<{ rows: ViewRow<{ rev: string }>[] }>(call);
    return rows.map(({ id, value }) => ({ id, rev: value.rev }));
  }

  close(): void {
    this.#client.close();
  }

  async #view<Value>(name: "by_user" | "by_expiry", query: object): Promise<ViewRow<Value>[]> {
    const call = { path: `${DESIGN_PATH}/_view/${name}`, query, field: "rows" } as const;
    return (await this.#client.request<{ rows: ViewRow<Value>[] }>(call)).rows;
  }
}
