// Stores sessions in Redis: a hash each, and a sorted set of ids for each user (schema.md).
// A new property of a session: redis-row.ts, and `change` here if requests may change it.

import {
  type Access,
  type ChangeResult,
  type FoundRow,
  type Page,
  type SessionChange,
  type SessionDriver,
  type SessionRow,
  type StoreStats,
  UnreadableRow,
} from "../session/contract.ts";
import { type Commands, RedisConnection } from "./connection.ts";
import { encodeHash, parseUserid, toFields, toRow } from "./row.ts";
import type { StoreSettings } from "./settings.ts";

/** With more at once, other clients would notice the wait for the server's one thread. */
const BATCH = 500;
/** How long a listing goes by the ids found for its first page. */
const LISTING_FRESH_MS = 60_000;

export function createDriver(settings: StoreSettings, timeout: number): SessionDriver {
  return new RedisDriver(settings, timeout);
}

class RedisDriver implements SessionDriver {
  readonly #connection: RedisConnection;
  readonly #prefix: string;
  #listing: { ids: string[]; at: number } | undefined;

  constructor(settings: StoreSettings, timeout: number) {
    this.#connection = new RedisConnection(settings, timeout);
    this.#prefix = settings.prefix;
  }

  #key(id: string): string {
    return `${this.#prefix}:id:${id}`;
  }

  /** JSON, since UTF-8 has no place for half of a surrogate pair. */
  #userKey(userid: string): string {
    return `${this.#prefix}:user:${JSON.stringify(userid)}`;
  }

  setup(): Promise<void> {
    return this.check();
  }

  /** With a session that nobody has the token of: a missing permission shows at the start. */
  async check(): Promise<void> {
    const id = `check-${crypto.randomUUID()}`;
    const now = Math.floor(Date.now() / 1000);
    const times = { created: now, updated: now, authenticated: 0, idle: 60, expires: now + 60 };
    const texts = { userid: id, ipaddress: "", useragent: "", data: "{}" };
    await this.create({ id, secretHash: new Uint8Array(32), ...times, ...texts, version: 1 });
    await this.change(id, { now, set: new Map([["check", "1"]]) });
    await this.listByUser(id, now, 1);
    await this.#connection.run((redis) => redis.zRem(this.#userKey(id), [id]));
    await this.end(id);
  }

  async create(row: SessionRow): Promise<void> {
    await this.#connection.run(async (redis) => {
      // By the app's clock; in its last second a session still lives.
      const milliseconds = (row.expires + 1 - row.updated) * 1000;
      const keep = row.expires + 2 * row.idle;
      const args = [`${milliseconds}`, ...toFields(row), ...(row.userid === null ? [] : ["indexed", `${keep}`])];
      const created = await redis.createSession(this.#key(row.id), args);
      if (created === 0) throw new Error(`There is a session with the id ${row.id} already`);
      // After the session: an entry without one would be taken for dead.
      if (row.userid !== null)
        await redis.indexSession(this.#userKey(row.userid), [`${row.updated}`, row.id, `${keep}`]);
    });
  }

  /** A touch is left to `change`: HGETALL costs the server a fifth of a script. */
  read(id: string, _access: Access): Promise<FoundRow | undefined> {
    return this.#connection.run(async (redis) => toRow(id, await redis.hGetAll(this.#key(id))));
  }

  async change(id: string, change: SessionChange): Promise<ChangeResult> {
    const set: string[] = [];
    const removed = (change.remove ?? []).map((key) => JSON.stringify(key));
    for (const [key, text] of change.set ?? []) set.push(JSON.stringify(key), text);
    if (change.userid !== undefined) removed.push("indexed", "userid");
    if (change.userid != null) set.push("userid", JSON.stringify(change.userid));
    if (change.secretHash) set.push("secretHash", encodeHash(change.secretHash));
    if (change.authenticated !== undefined) set.push("authenticated", `${change.authenticated}`);
    if (change.idle !== undefined) set.push("idle", `${change.idle}`);
    const hash = change.ifSecretHash ? encodeHash(change.ifSecretHash) : "";
    const conditions = [`${change.now}`, `${change.ifVersion ?? ""}`, hash, `${change.touch?.lifetime ?? ""}`];
    return await this.#connection.run(async (redis) => {
      const args = [...conditions, `${removed.length}`, ...removed, ...set];
      const [outcome, userid, keep] = await redis.changeSession(this.#key(id), args);
      if (outcome === "unreadable") throw new UnreadableRow("The session's times or version are no numbers");
      // After a crash right here the user's index lacks the session, but nobody has been told its new secret yet.
      if (userid !== undefined && keep !== undefined) {
        await redis.indexSession(`${this.#prefix}:user:${userid}`, [`${change.now}`, id, keep]);
        // Not waited for: without it the next touch tells the index again.
        void redis.noteIndexed(this.#key(id), [userid, keep]).catch(() => undefined);
      }
      return outcome as ChangeResult;
    });
  }

  end(id: string): Promise<boolean> {
    return this.#connection.run(async (redis) => {
      const userid = await redis.endSession(this.#key(id), []);
      // Not waited for: the session is ended whether or not the index can be told.
      if (userid) void forget(redis, `${this.#prefix}:user:${userid}`, [id]);
      return userid !== null;
    });
  }

  listByUser(userid: string, now: number, limit: number): Promise<SessionRow[]> {
    return this.#connection.run(async (redis) => {
      const [index, user] = [this.#userKey(userid), JSON.stringify(userid)];
      const ids = await redis.zRange(index, 0, -1);
      const found: { id: string; created: number }[] = [];
      const dead: string[] = [];
      await this.#heads(redis, ids, ["created", "expires", "userid"], (id, [created, expires, owner]) => {
        // Another user's session stays in the index, as that may change back.
        if (expires === null) dead.push(id);
        else if (owner === user && Number(expires) >= now) found.push({ id, created: Number(created) });
      });
      await forget(redis, index, dead);
      found.sort((one, other) => other.created - one.created || (one.id < other.id ? -1 : 1));
      const first = found.slice(0, limit).map(({ id }) => id);
      return (await this.#rows(redis, first)).filter((row) => row.userid === userid && row.expires >= now);
    });
  }

  endByUser(userid: string, exceptId?: string): Promise<string[]> {
    return this.#connection.run(async (redis) => {
      const index = this.#userKey(userid);
      const ids = (await redis.zRange(index, 0, -1)).filter((id) => id !== exceptId);
      const ended: string[] = [];
      for (const batch of batches(ids)) {
        const results = await Promise.all(batch.map((id) => redis.endSession(this.#key(id), [JSON.stringify(userid)])));
        ended.push(...batch.filter((_, position) => results[position] !== null));
      }
      await forget(redis, index, ended);
      return ended;
    });
  }

  /** Until nothing is left: in a cluster, keys that move to another node may hide from a walk. */
  async endAll(): Promise<number> {
    let ended = 0;
    for (let before = -1; ended > before; ) {
      before = ended;
      for await (const ids of this.#scan()) {
        const removed = await this.#connection.run((redis) =>
          Promise.all(ids.map((id) => redis.unlink(this.#key(id)))),
        );
        ended += removed.reduce((sum, count) => sum + count, 0);
      }
    }
    return ended;
  }

  /** Redis has no order of keys: the first page sorts all ids, about 100 bytes each. */
  async page({ now, after = "", limit }: Page): Promise<SessionRow[]> {
    if (!after || !this.#listing || performance.now() - this.#listing.at > LISTING_FRESH_MS) {
      const ids = new Set<string>();
      for await (const batch of this.#scan()) for (const id of batch) ids.add(id);
      this.#listing = { ids: [...ids].sort(), at: performance.now() };
    }
    const { ids } = this.#listing;
    const rows: SessionRow[] = [];
    let next = after ? firstAfter(ids, after) : 0;
    for (; rows.length < limit && next < ids.length; next += BATCH) {
      const found = await this.#connection.run((redis) => this.#rows(redis, ids.slice(next, next + BATCH)));
      rows.push(...found.filter((row) => row.expires >= now));
    }
    if (rows.length === 0) this.#listing = undefined;
    return rows.slice(0, limit);
  }

  async stats(now: number): Promise<StoreStats> {
    const seen = new Set<string>();
    const users = new Map<string, number>();
    let [live, signedIn] = [0, 0];
    for await (const batch of this.#scan()) {
      const ids = batch.filter((id) => !seen.has(id));
      await this.#connection.run((redis) =>
        this.#heads(redis, ids, ["expires", "userid"], (id, [expires, user]) => {
          seen.add(id);
          if (expires === null || !(Number(expires) >= now)) return;
          live++;
          if (user === null || user === undefined) return;
          signedIn++;
          users.set(user, (users.get(user) ?? 0) + 1);
        }),
      );
    }
    const most = [...users]
      .sort(([one, ones], [other, others]) => others - ones || (one < other ? -1 : 1))
      .slice(0, 10);
    return {
      live,
      expired: 0,
      signedIn,
      users: most.map(([user, sessions]) => ({ userid: parseUserid(user) ?? user, sessions })),
    };
  }

  /** Redis does it by itself. */
  async purge(): Promise<number> {
    return 0;
  }

  async ping(): Promise<void> {
    await this.#connection.run((redis) => redis.ping());
  }

  async close(): Promise<void> {
    this.#connection.close();
  }

  /** All ids, by a walk through all keys of the database; some may come twice. */
  async *#scan(): AsyncGenerator<string[]> {
    const start = this.#key("");
    const options = { MATCH: `${start}*`, COUNT: BATCH };
    for (let cursor: string | undefined; cursor !== "0"; ) {
      const reply = await this.#connection.run((redis) => redis.scan(cursor ?? "0", options));
      cursor = reply.cursor;
      yield reply.keys.map((key) => key.slice(start.length));
    }
  }

  async #heads(
    redis: Commands,
    ids: string[],
    fields: string[],
    look: (id: string, values: (string | null)[]) => void,
  ): Promise<void> {
    for (const batch of batches(ids)) {
      const found = await Promise.all(batch.map((id) => redis.hmGet(this.#key(id), fields)));
      for (const [position, id] of batch.entries()) look(id, found[position] ?? []);
    }
  }

  /** One that was spoilt must not hide the others. */
  async #rows(redis: Commands, ids: string[]): Promise<SessionRow[]> {
    const hashes = await Promise.all(ids.map((id) => redis.hGetAll(this.#key(id))));
    return hashes.flatMap((hash, position) => {
      try {
        return toRow(ids[position] ?? "", hash) ?? [];
      } catch (error) {
        if (error instanceof UnreadableRow) return [];
        throw error;
      }
    });
  }
}

/** What can't be dropped now is dropped by whoever lists the index next. */
async function forget(redis: Commands, index: string, ids: string[]): Promise<void> {
  for (const batch of batches(ids)) await redis.zRem(index, batch).catch(() => undefined);
}

function* batches(ids: string[]): Generator<string[]> {
  for (let start = 0; start < ids.length; start += BATCH) yield ids.slice(start, start + BATCH);
}

/** Position of the first id behind `after`. */
function firstAfter(ids: string[], after: string): number {
  let [low, high] = [0, ids.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ids[middle] ?? "") <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}
