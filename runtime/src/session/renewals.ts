// Remembers which sessions this process has given a new secret lately.

const MAX_ENTRIES = 10_000;

/** A request that was let in before a renewal must not send the old token to the browser again. */
export class Renewals {
  /** Times by performance.now(), in the order of the renewals. */
  readonly #times = new Map<string, number>();

  note(id: string): void {
    this.#times.delete(id);
    this.#times.set(id, performance.now());
    const [oldest] = this.#times.keys();
    if (this.#times.size > MAX_ENTRIES && oldest !== undefined) this.#times.delete(oldest);
  }

  /** @param start a time by performance.now() */
  isSince(id: string, start: number): boolean {
    return (this.#times.get(id) ?? Number.NEGATIVE_INFINITY) >= start;
  }
}
