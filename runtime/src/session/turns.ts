// Lets work on the same key wait for its turn.

/** Serialises work by key, so that updates of one session in this process don't compete for its version. */
export class Turns {
  readonly #limitMs: number;
  readonly #last = new Map<string, Promise<void>>();

  /** @param limitMs milliseconds after which the next one has its turn, however long the work takes */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** Runs `work` when everything before it on the same key is done; `waited` says whether there was anything. */
  async take<T>(key: string, work: (waited: boolean) => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const turn = Promise.withResolvers<void>();
    this.#last.set(key, turn.promise);
    let timer: NodeJS.Timeout | undefined;
    try {
      await before;
      timer = setTimeout(turn.resolve, this.#limitMs);
      return await work(before !== undefined);
    } finally {
      clearTimeout(timer);
      if (this.#last.get(key) === turn.promise) this.#last.delete(key);
      turn.resolve();
    }
  }
}
