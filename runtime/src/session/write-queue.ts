// Runs the writes of one request's session one after the other.

export class WriteQueue {
  #running: Promise<void> | undefined;
  #latest: Promise<unknown> | undefined;

  /** The write that was added last, with its result; undefined when all are done. */
  get latest(): Promise<unknown> | undefined {
    return this.#latest;
  }

  run<T>(write: () => Promise<T>): Promise<T> {
    // A failed write has rejected for its own caller; the next one starts all the same.
    const result = this.#running === undefined ? write() : this.#running.then(write);
    const done = () => {
      if (this.#running === running) this.#running = this.#latest = undefined;
    };
    // This handler comes before the caller's: a handler that catches a failure and responds at once has dealt with it.
    const running: Promise<void> = result.then(done, done);
    this.#running = running;
    this.#latest = result;
    return result;
  }
}
