// Stores sessions in Redis: a hash for each, and an index of users (schema.md).
// Columns of your own come from src/session-columns.ts; change this file to store sessions in another form.

import {
  type Access,
  type ChangeResult,
  type FoundRow,
  type SessionChange,
  type SessionDriver,
  type SessionInfo,
  type SessionRow,
  type StoreStats,
  UnreadableRow,
} from "../session/contract.ts";
import type { Commands } from "./client.ts";
import { RedisConnection } from "./connection.ts";
import { encodeHash, encodeUserid, INFO_FIELDS, toColumnFields, toFields, toInfo, toRow } from "./row.ts";
import { BATCH, SessionKeys } from "./session-keys.ts";
import type { StoreSettings } from "./settings.ts";
import { checkStart } from "./start-check.ts";
import { type IndexEntry, UserIndex } from "./user-index.ts";

/** Users that `stats` names. */
const TOP_USERS = 10;

export function createDriver(settings: StoreSettings, timeout: number): SessionDriver {
  return new RedisDriver(settings, timeout);
}

class RedisDriver implements SessionDriver {
  readonly #connection: RedisConnection;
  readonly #keys: SessionKeys;
  readonly #index: UserIndex;

  constructor(settings: StoreSettings, timeout: number) {
    this.#connection = new RedisConnection(settings, timeout);
    this.#keys = new SessionKeys(this.#connection, settings.prefix);
    this.#index = new UserIndex(this.#connection, settings.prefix, () => this.#indexEntries());
  }

  setup(): Promise<void> {
    return this.check();
  }

  async check(): Promise<void> {
    await checkStart({
      driver: this,
      connection: this.#connection,
      index: this.#index,
      keyOf: (id) => this.#keys.keyOf(id),
    });
  }

  async create(row: SessionRow): Promise<void> {
    // By the app's clock. In its last second a session still lives.
    const millisecondsToLive = (row.expires + 1 - row.updated) * 1000;
    const keepUntil = row.expires + 2 * row.idle;
    const args = [`${millisecondsToLive}`, ...toFields(row)];
    if (row.userid !== null) args.push("indexed", `${keepUntil}`);
    const created = await this.#connection.run((redis) => redis.createSession(this.#keys.keyOf(row.id), args));
    if (created === 0) throw new Error(`There is a session ${row.id} already.`);
    if (row.userid === null) return;
    // After the session: an entry without one would be taken for one that has ended.
    const entry = { id: row.id, user: encodeUserid(row.userid), keepUntil };
    await this.#connection.run((redis) => this.#index.add(redis, row.updated, entry));
  }

  /** A touch is left to `change`, since HGETALL costs the server a fifth of a script. */
  async read(id: string, _access: Access): Promise<FoundRow | undefined> {
    return toRow(id, await this.#connection.run((redis) => redis.hGetAll(this.#keys.keyOf(id))));
  }

  async change(id: string, change: SessionChange): Promise<ChangeResult> {
    const removed = (change.remove ?? []).map((key) => JSON.stringify(key));
    const set = toColumnFields(change.columns ?? {});
    for (const [key, text] of change.set ?? []) set.push(JSON.stringify(key), text);
    if (change.userid !== undefined) removed.push("indexed", "userid");
    if (change.userid != null) set.push("userid", encodeUserid(change.userid));
    if (change.secretHash) set.push("secretHash", encodeHash(change.secretHash));
    if (change.authenticated !== undefined) set.push("authenticated", `${change.authenticated}`);
    if (change.idle !== undefined) set.push("idle", `${change.idle}`);
    const hash = change.ifSecretHash ? encodeHash(change.ifSecretHash) : "";
    const conditions = [`${change.now}`, `${change.ifVersion ?? ""}`, hash, `${change.touch?.lifetime ?? ""}`];
    const args = [...conditions, `${removed.length}`, ...removed, ...set];
    const [outcome, user, keepUntil] = await this.#connection.run((redis) =>
      redis.changeSession(this.#keys.keyOf(id), args),
    );
    if (outcome === "unreadable") throw new UnreadableRow("The session's times or version are not numbers");
    if (user !== undefined && keepUntil !== undefined) {
      await this.#connection.run(async (redis) => {
        // After a crash right here the index lacks the session, but nobody has been told its new secret yet.
        await this.#index.add(redis, change.now, { id, user, keepUntil: Number(keepUntil) });
        // Nobody waits for this: without it the next touch writes the entry again.
        void redis.noteIndexed(this.#keys.keyOf(id), [user, keepUntil]).catch(() => undefined);
      });
    }
    return outcome as ChangeResult;
  }

  end(id: string): Promise<boolean> {
    return this.#connection.run(async (redis) => {
      const user = await redis.endSession(this.#keys.keyOf(id), []);
      // Nobody waits for this: the session has ended, whether or not the node with the index can be reached.
      if (user) void this.#forget(redis, user, [id]);
      return user !== null;
    });
  }

  async listByUser(userid: string, now: number, limit: number): Promise<SessionInfo[]> {
    const user = encodeUserid(userid);
    const sessions: SessionInfo[] = [];
    const ended: string[] = [];
    for (const ids of batches(await this.#index.idsOf(user))) {
      const found = await this.#fieldsOf(ids, INFO_FIELDS);
      for (const [position, id] of ids.entries()) {
        const values = found[position] ?? [];
        if (values.every((value) => value === null)) ended.push(id);
        // Another user's session stays in the index, since it may become this user's again.
        else if (values[0] === user) sessions.push(toInfo(id, values));
      }
    }
    await this.#connection.run((redis) => this.#forget(redis, user, ended));
    return sessions
      .filter(({ expires }) => expires >= now)
      .sort((one, other) => other.created - one.created || (one.id < other.id ? -1 : 1))
      .slice(0, limit);
  }

  async endByUser(userid: string, limit: number, exceptId?: string): Promise<string[]> {
    const user = encodeUserid(userid);
    const ids = (await this.#index.idsOf(user)).filter((id) => id !== exceptId);
    const ended: string[] = [];
    while (ids.length > 0 && ended.length < limit) {
      const batch = ids.splice(0, limit - ended.length);
      await this.#connection.run(async (redis) => {
        const results = await Promise.all(batch.map((id) => redis.endSession(this.#keys.keyOf(id), [user])));
        const successes = batch.filter((_, position) => results[position] !== null);
        ended.push(...successes);
        await this.#forget(redis, user, successes);
      });
    }
    return ended;
  }

  async endAll(limit: number): Promise<number> {
    let ended = 0;
    while (ended < limit) {
      const ids = await this.#keys.nextToEnd(Math.min(limit - ended, BATCH));
      if (ids === undefined) {
        await this.#index.clear();
        break;
      }
      const removed = await this.#connection.run((redis) =>
        Promise.all(ids.map((id) => redis.unlink(this.#keys.keyOf(id)))),
      );
      ended += removed.filter((count) => count > 0).length;
    }
    return ended;
  }

  async *all(now: number): AsyncGenerator<SessionInfo[]> {
    // SCAN may name a key more than once.
    const seen = new Set<string>();
    for await (const batch of this.#keys.scan()) {
      const ids = batch.filter((id) => !seen.has(id));
      for (const id of ids) seen.add(id);
      const found = await this.#fieldsOf(ids, INFO_FIELDS);
      const sessions = ids.map((id, position) => toInfo(id, found[position] ?? []));
      yield sessions.filter(({ expires }) => expires >= now);
    }
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
    return { live, expired: 0, signedIn, users: users.slice(0, TOP_USERS) };
  }

  /** Redis removes expired sessions by itself. */
  async purge(): Promise<number> {
    return 0;
  }

  async ping(): Promise<void> {
    await this.#connection.run((redis) => redis.ping());
  }

  async close(): Promise<void> {
    this.#connection.close();
  }

  #fieldsOf(ids: readonly string[], fields: string[]): Promise<(string | null)[][]> {
    return this.#connection.run((redis) => Promise.all(ids.map((id) => redis.hmGet(this.#keys.keyOf(id), fields))));
  }

  /** An entry that can't be removed now is removed by whoever lists the user's sessions next. */
  async #forget(redis: Commands, user: string, ids: readonly string[]): Promise<void> {
    await this.#index.remove(redis, user, ids).catch(() => undefined);
  }

  async *#indexEntries(): AsyncGenerator<IndexEntry[]> {
    for await (const ids of this.#keys.scan()) {
      const found = await this.#fieldsOf(ids, ["userid", "expires", "idle", "indexed"]);
      yield ids.flatMap((id, position) => {
        const [user, expires, idle, indexed] = found[position] ?? [];
        if (user == null) return [];
        // The session relies on being in the index until `indexed`.
        return { id, user, keepUntil: Math.max(Number(expires) + 2 * Number(idle), Number(indexed)) };
      });
    }
  }
}

function* batches(ids: readonly string[]): Generator<string[]> {
  for (let start = 0; start < ids.length; start += BATCH) yield ids.slice(start, start + BATCH);
}
