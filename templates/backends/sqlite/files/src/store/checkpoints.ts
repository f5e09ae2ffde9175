// Moves what long work has written from the write-ahead log into the SQLite file, on a thread of its own.
// Change it when other work than the removal of many rows should be followed by a checkpoint.

import { once } from "node:events";
import { Worker } from "node:worker_threads";

/**
 * Once the log has 1,000 pages, SQLite makes a checkpoint within the next commit and waits for the disk meanwhile. Removing
 * many rows would lead to several checkpoints a second, and each of them would keep all requests waiting.
 */
export class Checkpoints {
  readonly #file: string;
  #thread: Worker | undefined;
  #isPossible = true;

  constructor(file: string) {
    this.#file = file;
  }

  /** Resolves when a checkpoint has been made, without blocking this thread. The first call starts the other thread. */
  async make(): Promise<void> {
    if (!this.#isPossible) return;
    this.#thread ??= new Worker(new URL("./checkpoint-thread.ts", import.meta.url), { workerData: this.#file });
    const thread = this.#thread;
    // The process waits for a checkpoint that is being made, but the idle thread doesn't keep it alive.
    thread.ref();
    const settled = new AbortController();
    const { signal } = settled;
    try {
      thread.postMessage("make");
      await Promise.race([once(thread, "message", { signal }), once(thread, "exit", { signal })]);
    } catch (error) {
      this.#isPossible = false;
      const consequence = "Requests may wait for the disk while many sessions are removed";
      process.emitWarning(
        `SQLite's checkpoints can't be made on a thread: ${(error as Error).message}. ${consequence}.`,
      );
    } finally {
      settled.abort();
      thread.unref();
    }
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.terminate();
  }
}
