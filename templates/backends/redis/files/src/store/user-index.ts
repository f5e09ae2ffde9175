// The index of users' sessions: sorted sets from which an entry can't be lost without being noticed (see schema.md).
// Change PARTS only while the store is empty: every entry would have to move.

import { createHash, randomUUID } from "node:crypto";
import { StoreUnavailable } from "../session/contract.ts";
import type { Commands } from "./client.ts";
import type { RedisConnection } from "./connection.ts";

/** How many sorted sets the index is spread over, so that each stays small and a cluster can spread them over its nodes. */
const PARTS = 1024;
/** An entry that only a part has from which nothing is missing. */
const MARKER = "complete";
/** How long the entry that a rebuild begins with is kept if its process dies. */
const REBUILD_LIMIT_SECONDS = 86_400;
const REBUILD_ATTEMPTS = 3;

/** Until when the index has to keep a session, in seconds since 1970. */
export interface IndexEntry {
  id: string;
  /** The user as it is stored, JSON text. */
  user: string;
  keepUntil: number;
}

export class UserIndex {
  readonly #connection: RedisConnection;
  readonly #prefix: string;
  /** All sessions that have a user, from a walk through the whole store. */
  readonly #allEntries: () => AsyncIterable<IndexEntry[]>;
  #rebuild: Promise<void> | undefined;

  constructor(connection: RedisConnection, prefix: string, allEntries: () => AsyncIterable<IndexEntry[]>) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#allEntries = allEntries;
  }

  async add(redis: Commands, now: number, { id, user, keepUntil }: IndexEntry): Promise<boolean> {
    return (await redis.addToIndex(this.#keyOf(user), [`${now}`, `${keepUntil}`, entryOf(user, id)])) === 1;
  }

  async remove(redis: Commands, user: string, ids: readonly string[]): Promise<void> {
    if (ids.length > 0)
      await redis.zRem(
        this.#keyOf(user),
        ids.map((id) => entryOf(user, id)),
      );
  }

  /**
   * The ids of a user's sessions, and of some that have ended or belong to somebody else by now. Where entries have been
   * lost, the index is rebuilt first. Rejects with StoreUnavailable if that doesn't succeed.
   */
  async idsOf(user: string): Promise<string[]> {
    for (let attempt = 0; attempt < REBUILD_ATTEMPTS; attempt++) {
      const ids = await this.readIfComplete(user);
      if (ids) return ids;
      await this.rebuildWhereIncomplete();
    }
    throw new StoreUnavailable("The index of users' sessions loses entries faster than it can be rebuilt");
  }

  /** undefined where entries have been lost. */
  async readIfComplete(user: string): Promise<string[] | undefined> {
    const args = [entryOf(user, ""), MARKER];
    return (await this.#connection.run((redis) => redis.readIndex(this.#keyOf(user), args))) ?? undefined;
  }

  /** Calls at the same time share one walk through the store. */
  rebuildWhereIncomplete(): Promise<void> {
    this.#rebuild ??= this.#rebuildNow().finally(() => {
      this.#rebuild = undefined;
    });
    return this.#rebuild;
  }

  /** For a store without sessions. A part that is missing counts as incomplete, so this can't hide a session. */
  async clear(): Promise<void> {
    await this.#connection.run((redis) => Promise.all(this.#allKeys().map((key) => redis.unlink(key))));
  }

  /**
   * The new entries go into a part under an entry of the rebuild's own. If that is gone in the end, the part was lost once
   * more meanwhile, and stays incomplete.
   */
  async #rebuildNow(): Promise<void> {
    const incomplete = new Set(await this.#incompleteKeys());
    if (incomplete.size === 0) return;
    const now = Math.floor(Date.now() / 1000);
    const begun = `rebuild ${randomUUID()}`;
    const onEach = (work: (redis: Commands, key: string) => Promise<number>) =>
      this.#connection.run((redis) => Promise.all([...incomplete].map((key) => work(redis, key))));
    await onEach((redis, key) => redis.addToIndex(key, ["0", `${now + REBUILD_LIMIT_SECONDS}`, begun]));
    let restored = 0;
    for await (const entries of this.#allEntries()) {
      const lost = entries.filter(({ user }) => incomplete.has(this.#keyOf(user)));
      const added = await this.#connection.run((redis) =>
        Promise.all(lost.map((entry) => this.add(redis, now, entry))),
      );
      restored += added.filter(Boolean).length;
    }
    await onEach((redis, key) => redis.completeIndex(key, [begun, MARKER]));
    if (restored > 0) {
      process.emitWarning(
        `Redis had lost entries of the index of users' sessions (${restored}), by eviction or because somebody deleted them.` +
          " They have been restored from the sessions.",
      );
    }
  }

  async #incompleteKeys(): Promise<string[]> {
    const keys = this.#allKeys();
    const last = await this.#connection.run((redis) => Promise.all(keys.map((key) => redis.zRange(key, -1, -1))));
    return keys.filter((_, part) => last[part]?.[0] !== MARKER);
  }

  #keyOf(user: string): string {
    return this.#key(createHash("sha256").update(user).digest().readUInt32BE() % PARTS);
  }

  #allKeys(): string[] {
    return Array.from({ length: PARTS }, (_, part) => this.#key(part));
  }

  #key(part: number): string {
    return `${this.#prefix}:users:${part}`;
  }
}

/** The user comes first and ends with the quote of its JSON text, so no user's entries begin like another's. */
function entryOf(user: string, id: string): string {
  return `${user} ${id}`;
}
