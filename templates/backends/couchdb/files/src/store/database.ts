// Documents with their revisions, and the views of schema.json.
// Change it when schema.json gets another view.

import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { CouchdbClient } from "./client.ts";
import { type Document, documentId, encodeUser, LAST_ID } from "./document.ts";
import { DatabaseMissing, isConflict, isMissing, statusOf } from "./errors.ts";
import type { StoreSettings } from "./settings.ts";
import { Tombstones } from "./tombstones.ts";

const DESIGN = "_design/sessions";
/** CouchDB's default of 1000 would outweigh a busy session's data. */
const REVISIONS = 50;

interface DesignDocument {
  _id: string;
  _rev?: string;
  language: string;
  views: Record<string, { map: string; reduce?: string }>;
}

export interface Found<Value> {
  rows: { id: string; key: unknown; value: Value; doc?: Document }[];
}

/** In the view by_user. */
export interface UserEntry {
  rev: string;
  expires: number;
}

export interface Revision {
  id: string;
  rev: string;
}

interface Removal {
  id: string;
  ok?: boolean;
  rev?: string;
  error?: string;
  reason?: string;
}

export class CouchdbDatabase {
  readonly #client: CouchdbClient;
  readonly #tombstones: Tombstones;

  constructor(settings: StoreSettings) {
    this.#client = new CouchdbClient(settings);
    this.#tombstones = new Tombstones(this.#client);
  }

  /** Writes only what differs: CouchDB would build the indexes anew. */
  async setup(signal: AbortSignal): Promise<void> {
    const wanted = readDesign();
    try {
      await this.ping(signal);
    } catch (error) {
      if (!(error instanceof DatabaseMissing)) throw error;
      await this.#create(signal);
    }
    for (let found = await this.#design(signal); !matches(found, wanted); found = await this.#design(signal)) {
      // In a conflict another process has done the same.
      await this.write({ ...wanted, ...(found?._rev !== undefined && { _rev: found._rev }) }, signal);
    }
  }

  async check(signal: AbortSignal): Promise<void> {
    if (matches(await this.#design(signal), readDesign())) return;
    throw new Error(`The database's ${DESIGN} is not as in schema.json: run "npm run sessions -- setup"`);
  }

  async ping(signal: AbortSignal): Promise<void> {
    await this.#client.request({ field: "db_name" }, signal);
  }

  async load(id: string, signal: AbortSignal): Promise<Document | undefined> {
    const path = encodeURIComponent(documentId(id));
    return await absentIfMissing(
      this.#client.request<Document>({ path, query: { conflicts: true }, field: "_id" }, signal),
    );
  }

  async loadAll(ids: string[], signal: AbortSignal): Promise<Found<object>> {
    const query = { include_docs: true };
    const call = { method: "POST", path: "_all_docs", query, body: { keys: ids }, field: "rows" } as const;
    return await this.#client.request(call, signal);
  }

  /** undefined: somebody else has written it first. */
  async write<Body extends { _id: string }>(
    body: Body,
    signal: AbortSignal,
  ): Promise<(Body & { _rev: string }) | undefined> {
    const path = body._id === DESIGN ? DESIGN : encodeURIComponent(body._id);
    try {
      const { rev } = await this.#client.request<{ rev: string }>({ method: "PUT", path, body, field: "rev" }, signal);
      return { ...body, _rev: rev };
    } catch (error) {
      if (isConflict(error)) return undefined;
      throw error;
    }
  }

  /** Returns the ids of those that were still there. */
  async remove(revisions: Revision[], signal: AbortSignal): Promise<string[]> {
    if (revisions.length === 0) return [];
    const docs = revisions.map(({ id, rev }) => ({ _id: id, _rev: rev, _deleted: true }));
    const call = { method: "POST", path: "_bulk_docs", body: { docs }, field: undefined } as const;
    const results = await this.#client.request<Removal[]>(call, signal);
    const refused = results.find(({ error }) => error !== undefined && error !== "conflict" && error !== "not_found");
    if (refused) throw new Error(`CouchDB doesn't delete ${refused.id}: ${refused.reason ?? refused.error}`);
    // In the order of `docs`.
    for (const [index, { id, ok, rev = "" }] of results.entries()) {
      if (ok) this.#tombstones.add(id, [rev, revisions[index]?.rev ?? ""]);
    }
    // Ended whether or not the purge succeeds.
    if (this.#tombstones.due) await this.purgeTombstones(signal).catch(() => undefined);
    return results.filter(({ ok }) => ok).map(({ id }) => id);
  }

  purgeTombstones(signal: AbortSignal): Promise<void> {
    return this.#tombstones.purge(signal);
  }

  async view<Value>(name: "by_user" | "by_expiry", query: object, signal: AbortSignal): Promise<Found<Value>["rows"]> {
    const call = { path: `${DESIGN}/_view/${name}`, query, field: "rows" } as const;
    const { rows } = await this.#client.request<Found<Value>>(call, signal);
    return rows;
  }

  /** Newest first. */
  byUser(userid: string, signal: AbortSignal, limit?: number): Promise<Found<UserEntry>["rows"]> {
    const user = encodeUser(userid);
    const query = { startkey: [user, {}], endkey: [user], descending: true, ...(limit !== undefined && { limit }) };
    return this.view("by_user", query, signal);
  }

  /** All sessions behind `after` by their ids, `limit` at a time. */
  async *all(
    more: { include_docs?: boolean },
    after: string,
    limit: number,
    deadline: () => AbortSignal,
  ): AsyncGenerator<Found<{ rev: string }>> {
    let startkey: string | undefined = documentId(after);
    while (startkey !== undefined) {
      const query: object = { ...more, startkey, endkey: LAST_ID, limit: limit + 1 };
      const page: Found<{ rev: string }> = await this.#client.request(
        { path: "_all_docs", query, field: "rows" },
        deadline(),
      );
      yield { rows: page.rows.filter(({ id }) => id !== startkey) };
      startkey = page.rows.length > limit ? page.rows.at(-1)?.id : undefined;
    }
  }

  close(): void {
    this.#client.close();
  }

  async #create(signal: AbortSignal): Promise<void> {
    // 412: another process came first.
    await unless([412], this.#client.request({ method: "PUT", field: "ok" }, signal));
    // Servers that only resemble CouchDB do without.
    const limit = { method: "PUT", path: "_revs_limit", body: REVISIONS, field: "ok" } as const;
    await unless([400, 404, 405, 501], this.#client.request(limit, signal));
  }

  async #design(signal: AbortSignal): Promise<DesignDocument | undefined> {
    return await absentIfMissing(this.#client.request<DesignDocument>({ path: DESIGN, field: "_id" }, signal));
  }
}

function readDesign(): DesignDocument {
  return JSON.parse(readFileSync(new URL("../../schema.json", import.meta.url), "utf8")) as DesignDocument;
}

function matches(found: DesignDocument | undefined, wanted: DesignDocument): boolean {
  return found !== undefined && found.language === wanted.language && isDeepStrictEqual(found.views, wanted.views);
}

async function unless(expected: number[], request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (error) {
    if (!expected.includes(statusOf(error) ?? 0)) throw error;
  }
}

async function absentIfMissing<Answer>(request: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await request;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
