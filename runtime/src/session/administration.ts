// What is done to many sessions, or from outside a request: the start, lists, ending, purging, the end of the process.
// Change here how long to wait for a store at the start, and how much one statement removes.
import type { SessionData } from "../session-data.ts";
import type { SessionContext } from "./context.ts";
import { type SessionInfo, type StoreStats, StoreUnavailable } from "./contract.ts";
import { copyOf } from "./data.ts";
import { plausibleInfos, rereadRow } from "./find.ts";

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 2000;
const LIST_LIMIT = 1000;
/** How many rows one statement removes. In SQLite, whose statements hold up the process, these take some milliseconds. */
const BATCH_SIZE = 100;

/** The part of Sessions that needs no request. */
export class Administration {
  readonly #context: SessionContext;
  #purgeTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /**
   * Waits for the store, `timeout` seconds at most, sets it up or checks it, then starts purging.
   * Rejects with the last error; `report` gets a line for every attempt that failed.
   */
  async ready(setup: "auto" | "manual", timeout: number, report: (line: string) => void): Promise<void> {
    const { guard } = this.#context;
    const deadline = performance.now() + timeout * 1000;
    let waitMs = FIRST_RETRY_MS;
    while (true) {
      try {
        await guard.run((driver) => (setup === "auto" ? driver.setup() : driver.check()));
        break;
      } catch (error) {
        if (!(error instanceof StoreUnavailable) || performance.now() + waitMs > deadline) throw error;
        report(`${error.message.replace(/\.$/, "")}. Trying again …`);
        await new Promise((resume) => setTimeout(resume, waitMs));
        waitMs = Math.min(waitMs * 2, LAST_RETRY_MS);
      }
    }
    this.#schedulePurge();
  }

  /** A user's live sessions, newest first, 1,000 at most. */
  async list(userid: string): Promise<SessionInfo[]> {
    const now = this.#context.now();
    const infos = await this.#context.guard.run((driver) => driver.listByUser(userid, now, LIST_LIMIT));
    return plausibleInfos(this.#context, infos);
  }

  /** Ends a session by its id. Resolves to whether there was one. */
  async end(id: string): Promise<boolean> {
    const removed = await this.#context.guard.run((driver) => driver.end(id));
    if (removed) this.#context.emit({ type: "ended", id, reason: "revoked" });
    return removed;
  }

  /** Ends all sessions of a user but the one with the id `except`. Resolves to how many. */
  async endByUser(userid: string, { except }: { except?: string | undefined } = {}): Promise<number> {
    const { guard, emit } = this.#context;
    return inBatches(async () => {
      const ids = await guard.run((driver) => driver.endByUser(userid, BATCH_SIZE, except));
      for (const id of ids) emit({ type: "ended", id, userid, reason: "revoked" });
      return ids.length;
    });
  }

  /** Ends everybody's sessions, after an incident. Resolves to how many. */
  async endAll(): Promise<number> {
    const { guard, emit } = this.#context;
    const count = await inBatches(() => guard.run((driver) => driver.endAll(BATCH_SIZE)));
    emit({ type: "endedAll", count });
    return count;
  }

  /** Everybody's live sessions, in batches. */
  async *all(): AsyncGenerator<SessionInfo[]> {
    const now = this.#context.now();
    for await (const infos of this.#context.guard.iterate((driver) => driver.all(now))) {
      yield plausibleInfos(this.#context, infos);
    }
  }

  /** A live session by its id, with its data; undefined if there is none. For administrators. */
  async show(id: string): Promise<(SessionInfo & { data: SessionData }) | undefined> {
    const found = await rereadRow(this.#context, id);
    if (found === undefined) return undefined;
    const { secretHash: _secret, version: _version, touched: _touched, data: _text, ...info } = found.row;
    return { ...info, data: copyOf(found.data) };
  }

  /** How many sessions there are, and who has the most. Rejects where millions take longer to count than `storeTimeout`. */
  async stats(): Promise<StoreStats> {
    const now = this.#context.now();
    return this.#context.guard.runAside((driver) => driver.stats(now));
  }

  /** Whether the store responds within `storeTimeout`. */
  async health(): Promise<"up" | "down"> {
    try {
      await this.#context.guard.run((driver) => driver.ping());
      return "up";
    } catch {
      // The event that the guard has emitted says why.
      return "down";
    }
  }

  /** Removes what has expired. Resolves to how many sessions. Runs by itself every `purgeEvery` seconds. */
  async purge(): Promise<number> {
    const { guard, emit, now } = this.#context;
    const start = performance.now();
    const remove = async () => (this.#closed ? 0 : guard.run((driver) => driver.purge(now(), BATCH_SIZE)));
    const count = await inBatches(remove);
    if (count > 0) emit({ type: "purged", count, durationMs: performance.now() - start });
    return count;
  }

  /** Stops purging and closes the driver. A second call does nothing. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#purgeTimer);
    await this.#context.guard.driver.close();
  }

  /** The wait is jittered, so that processes don't purge together. The timer never keeps the process alive. */
  #schedulePurge(): void {
    if (this.#closed) return;
    const waitMs = this.#context.settings.purgeEvery * 1000 * (0.5 + Math.random());
    this.#purgeTimer = setTimeout(async () => {
      await this.purge().catch(({ message }: Error) => {
        this.#context.emit({ type: "warning", message: `Purging expired sessions failed: ${message}` });
      });
      this.#schedulePurge();
    }, waitMs).unref();
  }
}

/** Repeats `remove` until it finds fewer than a batch. Resolves to how many it removed in all. */
async function inBatches(remove: () => Promise<number>): Promise<number> {
  let total = 0;
  while (true) {
    const count = await remove();
    total += count;
    if (count < BATCH_SIZE) return total;
    // A store in this process would otherwise keep requests waiting for as long as the work takes.
    await new Promise(setImmediate);
  }
}
