// Bounds every call to the store in time, and reports when the store goes down and when it works again.
// Change here how long to wait and what counts as "down".
import { type Access, type FoundRow, type SessionDriver, StoreUnavailable } from "./contract.ts";
import type { EventHook } from "./events.ts";

export class Guard {
  readonly driver: SessionDriver;
  readonly #timeoutMs: number;
  readonly #emit: EventHook;
  /** When the store was last seen to fail, by performance.now(); -Infinity while it works. */
  #downSince = Number.NEGATIVE_INFINITY;

  constructor(driver: SessionDriver, timeoutMs: number, emit: EventHook) {
    this.driver = driver;
    this.#timeoutMs = timeoutMs;
    this.#emit = emit;
  }

  /** Rejects with StoreUnavailable after `storeTimeout`; a result that comes later is dropped. */
  async run<T>(work: (driver: SessionDriver) => T | Promise<T>): Promise<T> {
    try {
      const running = work(this.driver);
      const result = running instanceof Promise ? await this.#inTime(running) : running;
      this.#noteSuccess();
      return result;
    } catch (error) {
      this.#noteFailure(error);
      throw error;
    }
  }

  /** Like `run`, for work that may exceed `storeTimeout` although the store is up. */
  runAside<T>(work: (driver: SessionDriver) => Promise<T>): Promise<T> {
    return this.#inTime(work(this.driver));
  }

  /** The driver's `read`. Synchronous where the driver is; it then throws what `run` rejects with. */
  read(id: string, access: Access): FoundRow | undefined | Promise<FoundRow | undefined> {
    try {
      const row = this.driver.read(id, access);
      if (row instanceof Promise) return this.run(() => row);
      this.#noteSuccess();
      return row;
    } catch (error) {
      this.#noteFailure(error);
      throw error;
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

  #noteSuccess(): void {
    if (this.#downSince < 0) return;
    this.#downSince = Number.NEGATIVE_INFINITY;
    this.#emit({ type: "storeUp" });
  }

  #noteFailure(error: unknown): void {
    if (!(error instanceof StoreUnavailable)) return;
    const wasUp = this.#downSince < 0;
    this.#downSince = performance.now();
    if (wasUp) this.#emit({ type: "storeDown", message: error.message });
  }

  #inTime<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new StoreUnavailable(`The session store did not respond within ${this.#timeoutMs} ms`));
      }, this.#timeoutMs);
      work.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }
}
