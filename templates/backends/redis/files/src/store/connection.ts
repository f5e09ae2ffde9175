// The connection to Redis. It heals by itself, also where the client would wait forever.
// Change here when a connection is given up for a new one.

import { StoreUnavailable } from "../session/contract.ts";
import { type Client, type Commands, handshakeTimeoutOf, makeClient } from "./client.ts";
import { asStoreError, HandshakeTimeout, meansDemoted, meansUnreachable } from "./errors.ts";
import type { StoreSettings } from "./settings.ts";

const MIN_RETRY_MS = 50;
const MAX_RETRY_MS = 1000;

interface Link {
  client: Client;
  /** By performance.now(). */
  since: number;
  /** Resolves, and never rejects, when the first attempt to connect has succeeded or failed. */
  attempted: Promise<void>;
  /** Why there is no connection; undefined while there is one. */
  failure: unknown;
  retired: boolean;
}

export class RedisConnection {
  readonly #settings: StoreSettings;
  readonly #timeout: number;
  #link: Link;
  /** Replaces `#link` as soon as it is connected. */
  #spare: Link | undefined;
  #closed = false;

  constructor(settings: StoreSettings, timeout: number) {
    this.#settings = settings;
    this.#timeout = timeout;
    this.#link = this.#open();
  }

  /** `work` may send several commands and should do nothing else: what it throws is taken for an error of the connection. */
  async run<Result>(work: (commands: Commands) => Promise<Result>): Promise<Result> {
    const link = this.#link;
    // The client never gives up a command that it has sent, so a connection that is this slow is replaced.
    const slow = setTimeout(() => this.#replaceUnlessYoung(link, this.#timeout), this.#timeout);
    try {
      if (this.#closed) throw new StoreUnavailable("The connection to Redis is closed");
      await link.attempted;
      if (!link.client.isReady) throw link.failure ?? new StoreUnavailable("The connection to Redis was lost");
      return await work(link.client);
    } catch (error) {
      if (meansUnreachable(error)) this.#replaceUnlessYoung(link, this.#timeout);
      if (meansDemoted(error)) this.#replaceUnlessYoung(link, this.#timeout / 10);
      throw asStoreError(error, link.failure, this.#settings);
    } finally {
      clearTimeout(slow);
    }
  }

  close(): void {
    this.#closed = true;
    for (const link of [this.#link, this.#spare]) if (link) this.#retire(link);
  }

  /**
   * The client reconnects by itself, but waits forever where the other end has silently gone, and stays with a master
   * that has become a replica. So another one is made, unless this one is younger than `age` milliseconds.
   */
  #replaceUnlessYoung(link: Link, age: number): void {
    const ageOf = (of: Link) => performance.now() - of.since;
    if (this.#closed || link !== this.#link || ageOf(link) < age) return;
    if (this.#spare && ageOf(this.#spare) < 2 * this.#timeout) return;
    if (this.#spare) this.#retire(this.#spare);
    this.#spare = this.#open();
  }

  #takeOver(link: Link): void {
    if (this.#closed || link !== this.#spare) return;
    const before = this.#link;
    this.#link = link;
    this.#spare = undefined;
    link.since = performance.now();
    // Commands that were sent on the old one may still succeed.
    setTimeout(() => this.#retire(before), this.#timeout).unref();
  }

  #open(): Link {
    const client = makeClient(this.#settings, this.#timeout);
    const { promise, resolve } = Promise.withResolvers<void>();
    const link: Link = { client, since: performance.now(), attempted: promise, failure: undefined, retired: false };
    const isAlone = this.#settings.urls.length === 1 && this.#settings.sentinels.length === 0;
    const failed = (error: unknown) => {
      link.failure = error;
      // Clusters and Sentinels go on to their next node; `connect` rejects when none was left.
      if (isAlone) resolve();
    };
    client.on("error", failed);
    client.on("node-error", failed);
    client.on("client-error", (event) => failed((event as { error: unknown }).error));
    for (const event of ["ready", "node-ready"]) client.on(event, () => (link.failure = undefined));
    // The client's own limit ends when the network is connected. A server that accepts and then says nothing is met here.
    const handshakeMs = handshakeTimeoutOf(this.#timeout);
    const silent = setTimeout(() => {
      link.failure ??= new HandshakeTimeout(`gave no response within ${handshakeMs} ms`);
      resolve();
    }, handshakeMs).unref();
    void promise.then(() => clearTimeout(silent));
    void this.#connect(link, resolve).then(() => this.#takeOver(link));
    return link;
  }

  /** Repeats the attempt, since the clients of clusters and Sentinels give up when they find no node. */
  async #connect(link: Link, attempted: () => void): Promise<void> {
    for (let wait = MIN_RETRY_MS; !link.retired && !this.#closed; wait = Math.min(wait * 2, MAX_RETRY_MS)) {
      try {
        return void (await link.client.connect().finally(attempted));
      } catch (error) {
        // An event has given the reason before.
        link.failure ??= error;
        await new Promise((resume) => setTimeout(resume, wait).unref());
      }
    }
  }

  #retire(link: Link): void {
    link.retired = true;
    void link.client.destroy();
  }
}
