// The keys of sessions, and walks through all of them.
// Redis has no list of its keys: a walk has to look at every key of the database.

import type { RedisConnection } from "./connection.ts";

/** How many sessions one round trip asks for. With more, other clients would notice the wait for the server's one thread. */
export const BATCH = 500;

export class SessionKeys {
  readonly #connection: RedisConnection;
  /** What every session's key begins with. */
  readonly #start: string;
  /** The walk that `nextToEnd` is on. */
  #walk: Walk | undefined;

  constructor(connection: RedisConnection, prefix: string) {
    this.#connection = connection;
    this.#start = `${prefix}:id:`;
  }

  keyOf(id: string): string {
    return this.#start + id;
  }

  /** The ids of all sessions, in batches. SCAN may name one more than once. */
  async *scan(): AsyncGenerator<string[]> {
    let cursor = "0";
    do {
      const from = cursor;
      const options = { MATCH: `${this.#start}*`, COUNT: BATCH };
      const reply = await this.#connection.run((redis) => redis.scan(from, options));
      cursor = reply.cursor;
      yield reply.keys.map((key) => key.slice(this.#start.length));
    } while (cursor !== "0");
  }

  /**
   * At most `count` ids of sessions that are to be ended; undefined when a whole walk has found none. One walk goes on
   * from call to call. Another one follows, since sessions may have come behind it, or hidden from it in a cluster by moving
   * to another node.
   */
  async nextToEnd(count: number): Promise<string[] | undefined> {
    while (true) {
      const walk = this.#walk ?? { ids: this.#idsOneByOne(), found: 0 };
      this.#walk = walk;
      try {
        const ids = await take(walk.ids, count);
        walk.found += ids.length;
        if (ids.length > 0) return ids;
      } catch (error) {
        this.#walk = undefined;
        throw error;
      }
      this.#walk = undefined;
      if (walk.found === 0) return undefined;
    }
  }

  async *#idsOneByOne(): AsyncGenerator<string> {
    for await (const ids of this.scan()) yield* ids;
  }
}

interface Walk {
  ids: AsyncGenerator<string>;
  found: number;
}

/** The next `count` items, or fewer at the end. */
async function take<Item>(items: AsyncGenerator<Item>, count: number): Promise<Item[]> {
  const taken: Item[] = [];
  while (taken.length < count) {
    const { done, value } = await items.next();
    if (done) break;
    taken.push(value);
  }
  return taken;
}
