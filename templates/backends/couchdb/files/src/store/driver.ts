// Stores sessions in CouchDB: a document for each, with revisions in place of locks.
// Columns of your own come from src/session-columns.ts; change this file to store sessions in another form.

import { setTimeout as sleep } from "node:timers/promises";
import {
  type ChangeResult,
  type FoundRow,
  type SessionChange,
  type SessionDriver,
  type SessionInfo,
  type SessionRow,
  type StoreStats,
  StoreUnavailable,
} from "../session/contract.ts";
import { Turns } from "../session/turns.ts";
import { initialColumns } from "../session-columns.ts";
import { CouchdbDatabase, type Revision } from "./database.ts";
import { applyChange, type Document, type InfoDocument, sessionId, toDocument, toInfo, toRow } from "./document.ts";
import type { StoreSettings } from "./settings.ts";

/** Sessions in one batch of `all`, and in one bulk request. */
const BATCH = 500;
/** How many documents are kept from `read`, so that the change that follows need not read again. */
const MAX_RECENT = 200;
/** How often a write is repeated that others were faster with. */
const MAX_ATTEMPTS = 50;
const RETRY_BASE_MS = 5;
const MAX_RETRY_MS = 200;
const CHECK_LIFETIME_SECONDS = 60;
/** Users that `stats` names. */
const TOP_USERS = 10;

export function createDriver(settings: StoreSettings, timeout: number): SessionDriver {
  return new CouchdbDriver(settings, timeout);
}

class CouchdbDriver implements SessionDriver {
  readonly #database: CouchdbDatabase;
  /** Changes of one session wait for each other, instead of competing for revisions. */
  readonly #turns: Turns;
  readonly #recent = new Map<string, Document>();

  constructor(settings: StoreSettings, timeout: number) {
    this.#database = new CouchdbDatabase(settings, timeout);
    this.#turns = new Turns(timeout);
  }

  async setup(): Promise<void> {
    await this.#database.setup();
    await this.check();
  }

  async check(): Promise<void> {
    await this.#database.check();
    await this.#tryWrites();
  }

  /** Works on a session whose token nobody has. */
  async #tryWrites(): Promise<void> {
    const id = `check-${crypto.randomUUID()}`;
    const now = Math.floor(Date.now() / 1000);
    const expires = now + CHECK_LIFETIME_SECONDS;
    await this.create({
      ...{ id, secretHash: new Uint8Array(32), userid: null, ipaddress: "", useragent: "", columns: initialColumns },
      ...{
        created: now,
        updated: now,
        authenticated: 0,
        idle: CHECK_LIFETIME_SECONDS,
        expires,
        data: "{}",
        version: 1,
      },
    });
    await this.change(id, { now, set: new Map([["check", "1"]]) });
    await this.end(id);
  }

  async create(row: SessionRow): Promise<void> {
    const written = await this.#database.write(toDocument(row));
    if (!written) throw new Error(`There is a session ${row.id} already.`);
    this.#remember(row.id, written);
  }

  /** A touch is left to `change`: CouchDB can't read and write in one request. */
  async read(id: string): Promise<FoundRow | undefined> {
    const document = await this.#database.load(id);
    if (!document) return undefined;
    const row = toRow(document);
    this.#remember(id, document);
    return row;
  }

  change(id: string, change: SessionChange): Promise<ChangeResult> {
    return this.#turns.take(id, async () => {
      const remembered = this.#recent.get(id);
      this.#recent.delete(id);
      if (remembered) {
        // A document that may be old can be replaced if it is still there, but it can't refuse a change.
        const next = applyChange(toRow(remembered), change);
        if (typeof next !== "string" && (await this.#replace(remembered, next))) return "done";
      }
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const document = await this.#database.load(id);
        if (!document) return "gone";
        const row = toRow(document);
        const next = applyChange(row, change);
        if (typeof next === "string") return next;
        // Somebody else's change has touched the session already.
        if ((remembered || attempt > 0) && isTouchOnly(change) && row.updated >= change.now) return "done";
        if (await this.#replace(document, next)) return "done";
        await pause(attempt);
      }
      throw tooManyAtOnce();
    });
  }

  /** False if the document has another revision by now. */
  async #replace(document: Document, row: SessionRow): Promise<boolean> {
    const written = await this.#database.write(toDocument(row, document._rev));
    if (!written) return false;
    // The versions that lost in a cluster must not come up when this one ends.
    await this.#database.remove((document._conflicts ?? []).map((rev) => ({ id: document._id, rev })));
    this.#remember(row.id, written);
    return true;
  }

  end(id: string): Promise<boolean> {
    return this.#turns.take(id, async () => {
      this.#recent.delete(id);
      let ended = false;
      // Again after a conflict, and until a cluster has no other version left.
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const document = await this.#database.load(id);
        if (!document) return ended;
        const revs = [document._rev ?? "", ...(document._conflicts ?? [])];
        const removed = await this.#database.remove(revs.map((rev) => ({ id: document._id, rev })));
        if (removed.length === revs.length) return true;
        if (removed.length > 0) ended = true;
        await pause(attempt);
      }
      throw tooManyAtOnce();
    });
  }

  async listByUser(userid: string, now: number, limit: number): Promise<SessionInfo[]> {
    const documents = await this.#database.byUser(userid);
    return documents
      .filter(({ expires }) => expires >= now)
      .slice(0, limit)
      .map(toInfo);
  }

  async endByUser(userid: string, limit: number, exceptId?: string): Promise<string[]> {
    return await this.#endSome(limit, async (count) => {
      // One more, as the excepted session may be among them.
      const found = await this.#database.byUser(userid, count + 1);
      return found.filter(({ _id }) => sessionId(_id) !== exceptId).map(toRevision);
    });
  }

  async endAll(limit: number): Promise<number> {
    return (await this.#endSome(limit, (count) => this.#database.some(count))).length;
  }

  /**
   * Removes what `find` finds until that is nothing, or `limit` sessions have ended: a session that was changed meanwhile
   * has another revision and is found again, as is a version that a cluster had kept beside the removed one.
   */
  async #endSome(limit: number, find: (count: number) => Promise<Revision[]>): Promise<string[]> {
    const ended = new Set<string>();
    let failures = 0;
    while (ended.size < limit) {
      const count = Math.min(limit - ended.size, BATCH);
      const revisions = (await find(count)).slice(0, count);
      if (revisions.length === 0) break;
      const removed = await this.#database.remove(revisions);
      for (const id of removed) ended.add(sessionId(id));
      failures = removed.length > 0 ? 0 : failures + 1;
      if (failures === MAX_ATTEMPTS) throw tooManyAtOnce();
      if (failures > 0) await pause(failures);
    }
    for (const id of ended) this.#recent.delete(id);
    return [...ended];
  }

  async *all(now: number): AsyncGenerator<SessionInfo[]> {
    let after = "";
    let documents: InfoDocument[];
    do {
      documents = await this.#database.infosAfter(after, BATCH);
      const sessions = documents.map(toInfo);
      after = sessions.at(-1)?.id ?? after;
      yield sessions.filter(({ expires }) => expires >= now);
      // Not until a page is short: PouchDB's server gives one less than it could.
    } while (documents.length > 0);
  }

  async stats(now: number): Promise<StoreStats> {
    const byUser = new Map<string, number>();
    let live = 0;
    for await (const sessions of this.all(now)) {
      live += sessions.length;
      for (const { userid } of sessions) if (userid !== null) byUser.set(userid, (byUser.get(userid) ?? 0) + 1);
    }
    const users = [...byUser].map(([userid, sessions]) => ({ userid, sessions }));
    users.sort((one, other) => other.sessions - one.sessions || (one.userid < other.userid ? -1 : 1));
    const signedIn = users.reduce((sum, { sessions }) => sum + sessions, 0);
    const expired = await this.#database.countExpiredBefore(now);
    return { live, expired, signedIn, users: users.slice(0, TOP_USERS) };
  }

  async purge(now: number, limit: number): Promise<number> {
    const removed = await this.#endSome(limit, (count) => this.#database.expiredBefore(now, count));
    await this.#database.purgeTombstones();
    return removed.length;
  }

  ping(): Promise<void> {
    return this.#database.ping();
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  #remember(id: string, document: Document): void {
    this.#recent.delete(id);
    this.#recent.set(id, document);
    const [oldest] = this.#recent.keys();
    if (this.#recent.size > MAX_RECENT && oldest !== undefined) this.#recent.delete(oldest);
  }
}

function toRevision({ _id, _rev = "" }: InfoDocument): Revision {
  return { id: _id, rev: _rev };
}

function isTouchOnly(change: SessionChange): boolean {
  const { now: _now, touch, ...others } = change;
  return touch !== undefined && Object.values(others).every((value) => value === undefined);
}

/** Of random length, so that those who met once don't meet again. */
async function pause(attempt: number): Promise<void> {
  await sleep(Math.random() * Math.min(RETRY_BASE_MS * 2 ** attempt, MAX_RETRY_MS));
}

function tooManyAtOnce(): StoreUnavailable {
  return new StoreUnavailable("The session is changed by too many requests at once");
}
