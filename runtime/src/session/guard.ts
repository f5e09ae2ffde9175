// Bounds every call to the store in time, and makes its failures and recovery known.
// Change here how long to wait and what counts as "down".

import { type Access, type FoundRow, type SessionDriver, StoreUnavailable } from "./contract.ts";
import type { EventHook } from "./events.ts";

export class Guard {
  readonly driver: SessionDriver;
  readonly #timeout: number;
  readonly #emit: EventHook;
  /** By performance.now(); -Infinity while the store works. */
  #downSince = Number.NEGATIVE_INFINITY;

  constructor(driver: SessionDriver, timeout: number, emit: EventHook) {
    this.driver = driver;
    this.#timeout = timeout;
    this.#emit = emit;
  }

  /** Rejects with StoreUnavailable after `storeTimeout`; a later answer is dropped. */
  async run<T>(work: (driver: SessionDriver) => Promise<T>): Promise<T> {
    try {
      const result = await this.#inTime(work(this.driver));
      this.#works();
      return result;
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** Synchronous where the driver is; it then throws what `run` rejects with. */
  read(id: string, access: Access): FoundRow | undefined | Promise<FoundRow | undefined> {
    try {
      const row = this.driver.read(id, access);
      if (row instanceof Promise) return this.run(() => row);
      this.#works();
      return row;
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** Every step of the iteration is bounded like a call of its own. */
  async *iterate<T>(start: (driver: SessionDriver) => AsyncIterable<T>): AsyncGenerator<T> {
    const iterator = start(this.driver)[Symbol.asyncIterator]();
    try {
      while (true) {
        const { done, value } = await this.run(() => iterator.next());
        if (done === true) return;
        yield value;
      }
    } finally {
      await iterator.return?.();
    }
  }

  /** Throws if the store went down while the caller waited in line: one timeout is enough. */
  refuseIfDownSince(start: number): void {
    if (this.#downSince >= start) throw new StoreUnavailable("The session store is not available");
  }

  #works(): void {
    if (this.#downSince < 0) return;
    this.#downSince = Number.NEGATIVE_INFINITY;
    this.#emit({ type: "storeUp" });
  }

  #failed(error: unknown): unknown {
    if (error instanceof StoreUnavailable) {
      const wasUp = this.#downSince < 0;
      this.#downSince = performance.now();
      if (wasUp) this.#emit({ type: "storeDown", message: error.message });
    }
    return error;
  }

  #inTime<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new StoreUnavailable(`The session store did not answer within ${this.#timeout} ms`));
      }, this.#timeout);
      work.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }
}

/**
 * Work on the same key waits for its turn, so that updates in one process don't fight over versions.
 * After `limit` milliseconds the next one has its turn.
 */
export class Turns {
  readonly #limit: number;
  readonly #last = new Map<string, Promise<void>>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  async take<T>(key: string, work: (waited: boolean) => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const turn = Promise.withResolvers<void>();
    this.#last.set(key, turn.promise);
    let timer: NodeJS.Timeout | undefined;
    try {
      await before;
      timer = setTimeout(turn.resolve, this.#limit);
      return await work(before !== undefined);
    } finally {
      clearTimeout(timer);
      if (this.#last.get(key) === turn.promise) this.#last.delete(key);
      turn.resolve();
    }
  }
}

/** Sessions renewed lately: a request let in before must not repeat the old token. */
export class Renewals {
  /** In the order of renewal; bounded. */
  readonly #times = new Map<string, number>();

  note(id: string): void {
    this.#times.delete(id);
    this.#times.set(id, performance.now());
    if (this.#times.size > 10_000) this.#times.delete(this.#times.keys().next().value as string);
  }

  /** @param start by performance.now() */
  isSince(id: string, start: number): boolean {
    return (this.#times.get(id) ?? Number.NEGATIVE_INFINITY) >= start;
  }
}
