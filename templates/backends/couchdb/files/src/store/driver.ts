// Stores sessions in CouchDB: a document each, with revisions in place of locks.
// A new property of a session: couchdb-document.ts.

import { setTimeout } from "node:timers/promises";
import {
  type ChangeResult,
  type FoundRow,
  type Page,
  type SessionChange,
  type SessionDriver,
  type SessionRow,
  type StoreStats,
  StoreUnavailable,
  UnreadableRow,
} from "../session/contract.ts";
import { Turns } from "../session/turns.ts";
import { CouchdbDatabase, type Found, type UserEntry } from "./database.ts";
import { applyChange, type Document, decodeUser, sessionId, toDocument, toRow } from "./document.ts";
import type { StoreSettings } from "./settings.ts";

const BATCH = 500;
/** Documents kept from `read`, so that the change that follows need not read again. */
const RECENT = 200;

export function createDriver(settings: StoreSettings, timeout: number): SessionDriver {
  return new CouchdbDriver(settings, timeout);
}

class CouchdbDriver implements SessionDriver {
  readonly #database: CouchdbDatabase;
  readonly #deadline: () => AbortSignal;
  /** Changes of one session wait for each other, instead of fighting over revisions. */
  readonly #turns: Turns;
  readonly #recent = new Map<string, Document>();

  constructor(settings: StoreSettings, timeout: number) {
    this.#database = new CouchdbDatabase(settings);
    this.#deadline = () => AbortSignal.timeout(timeout);
    this.#turns = new Turns(timeout);
  }

  setup(): Promise<void> {
    return this.#database.setup(this.#deadline());
  }

  check(): Promise<void> {
    return this.#database.check(this.#deadline());
  }

  async create(row: SessionRow): Promise<void> {
    const written = await this.#database.write(toDocument(row), this.#deadline());
    if (!written) throw new Error(`There is a session with the id ${row.id} already`);
    this.#remember(row.id, written);
  }

  /** A touch is left to `change`: CouchDB can't read and write in one request. */
  async read(id: string): Promise<FoundRow | undefined> {
    const document = await this.#database.load(id, this.#deadline());
    if (!document) return undefined;
    const row = toRow(document);
    this.#remember(id, document);
    return row;
  }

  change(id: string, change: SessionChange): Promise<ChangeResult> {
    const signal = this.#deadline();
    return this.#turns.take(id, async () => {
      let known = this.#recent.get(id);
      for (let attempt = 0; ; attempt++) {
        this.#recent.delete(id);
        const document = known ?? (await this.#database.load(id, signal));
        if (!document) return "gone";
        const row = toRow(document);
        const next = applyChange(row, change);
        if (typeof next !== "string") {
          // Somebody else's change has touched it already.
          if (attempt > 0 && isTouchOnly(change) && row.updated >= change.now) return "done";
          const written = await this.#database.write(toDocument(next, document._rev), signal);
          if (written) {
            // The versions that lost in a cluster must not come up when this one ends.
            const lost = (document._conflicts ?? []).map((rev) => ({ id: document._id, rev }));
            await this.#database.remove(lost, signal);
            this.#remember(id, written);
            return "done";
          }
        } else if (!known) return next;
        // What was remembered may be old, and can't refuse a change.
        if (known) known = undefined;
        else await pause(attempt, signal);
      }
    });
  }

  end(id: string): Promise<boolean> {
    const signal = this.#deadline();
    return this.#turns.take(id, async () => {
      let ended = false;
      // Again after a conflict, and until a cluster has no other version left.
      for (let attempt = 0; ; attempt++) {
        this.#recent.delete(id);
        const document = await this.#database.load(id, signal);
        if (!document) return ended;
        const revs = [document._rev ?? "", ...(document._conflicts ?? [])];
        const versions = revs.map((rev) => ({ id: document._id, rev }));
        const removed = await this.#database.remove(versions, signal);
        if (removed.length > 0) ended = true;
        if (removed.length === versions.length) return true;
        await pause(attempt, signal);
      }
    });
  }

  async listByUser(userid: string, now: number, limit: number): Promise<SessionRow[]> {
    const signal = this.#deadline();
    const entries = await this.#database.byUser(userid, signal);
    const live = entries.filter(({ value }) => value.expires >= now).slice(0, limit);
    if (live.length === 0) return [];
    const ids = live.map(({ id }) => id);
    return readable(await this.#database.loadAll(ids, signal)).filter(
      (row) => row.userid === userid && row.expires >= now,
    );
  }

  async endByUser(userid: string, exceptId?: string): Promise<string[]> {
    let signal = this.#deadline();
    const ended = new Set<string>();
    // Until there is none: one that was changed meanwhile has another revision, and must not escape.
    for (let attempt = 0; ; attempt++) {
      const found = await this.#database.byUser(userid, signal, BATCH);
      const entries = found.filter(({ id }) => sessionId(id) !== exceptId);
      if (entries.length === 0) return [...ended];
      if (attempt > 0) await pause(attempt, signal);
      const revisions = entries.map(({ id, value }) => ({ id, rev: value.rev }));
      const removed = await this.#database.remove(revisions, signal);
      for (const id of removed) ended.add(sessionId(id));
      if (removed.length > 0) [attempt, signal] = [-1, this.#deadline()];
    }
  }

  async endAll(): Promise<number> {
    const ended = new Set<string>();
    for (let attempt = 0; ; attempt++) {
      let left = 0;
      for await (const { rows } of this.#database.all({}, "", BATCH, this.#deadline)) {
        left += rows.length;
        const revisions = rows.map(({ id, value }) => ({ id, rev: value.rev }));
        for (const id of await this.#database.remove(revisions, this.#deadline())) ended.add(id);
      }
      if (left === 0) return ended.size;
      await pause(attempt, this.#deadline());
    }
  }

  async page({ now, after = "", limit }: Page): Promise<SessionRow[]> {
    const rows: SessionRow[] = [];
    const pages = this.#database.all({ include_docs: true }, after, Math.min(limit, BATCH), this.#deadline);
    for await (const found of pages) {
      rows.push(...readable(found).filter((row) => row.expires >= now));
      if (rows.length >= limit) break;
    }
    return rows.slice(0, limit);
  }

  async stats(now: number): Promise<StoreStats> {
    const users = new Map<string, number>();
    let signedIn = 0;
    for (let startkey: unknown = []; startkey !== undefined; ) {
      const rows = await this.#database.view<UserEntry>("by_user", { startkey, limit: BATCH + 1 }, this.#deadline());
      for (const { key, value } of rows.slice(0, BATCH)) {
        if (value.expires < now) continue;
        const [user] = key as [string];
        signedIn++;
        users.set(user, (users.get(user) ?? 0) + 1);
      }
      startkey = rows[BATCH]?.key;
    }
    const count = async (range: object) => {
      const rows = await this.#database.view<number>("by_expiry", { ...range, reduce: true }, this.#deadline());
      return rows[0]?.value ?? 0;
    };
    const most = [...users].sort(([one, ones], [other, others]) => others - ones || (one < other ? -1 : 1));
    return {
      live: await count({ startkey: now }),
      expired: await count({ endkey: now - 1 }),
      signedIn,
      users: most.slice(0, 10).map(([user, sessions]) => ({ userid: decodeUser(user) ?? String(user), sessions })),
    };
  }

  async purge(now: number, limit: number): Promise<number> {
    const signal = this.#deadline();
    const rows = await this.#database.view<string>("by_expiry", { endkey: now - 1, limit, reduce: false }, signal);
    let removed = 0;
    for (const batch of batches(rows.map(({ id, value }) => ({ id, rev: value })))) {
      // One that was touched meanwhile has another revision, and lives on.
      removed += (await this.#database.remove(batch, signal)).length;
    }
    await this.#database.purgeTombstones(signal);
    return removed;
  }

  ping(): Promise<void> {
    return this.#database.ping(this.#deadline());
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  #remember(id: string, document: Document): void {
    this.#recent.delete(id);
    this.#recent.set(id, document);
    const [oldest] = this.#recent.keys();
    if (this.#recent.size > RECENT && oldest !== undefined) this.#recent.delete(oldest);
  }
}

/** One that was spoilt must not hide the others. */
function readable({ rows }: Found<unknown>): SessionRow[] {
  return rows.flatMap(({ doc }) => {
    try {
      return doc ? toRow(doc) : [];
    } catch (error) {
      if (error instanceof UnreadableRow) return [];
      throw error;
    }
  });
}

function isTouchOnly(change: SessionChange): boolean {
  const { now: _now, touch, ...others } = change;
  return touch !== undefined && Object.values(others).every((value) => value === undefined);
}

function* batches<Item>(items: Item[]): Generator<Item[]> {
  for (let start = 0; start < items.length; start += BATCH) yield items.slice(start, start + BATCH);
}

/** Random, so that those who met once don't meet again. */
async function pause(attempt: number, signal: AbortSignal): Promise<void> {
  await setTimeout(Math.random() * Math.min(5 * 2 ** attempt, 200));
  if (signal.aborted) throw new StoreUnavailable("The session is changed by too many at once");
}
