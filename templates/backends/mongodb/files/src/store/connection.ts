// The connection to MongoDB: what it waits for, and what it repeats.
// Change it to set options that the URL shouldn't have.

import { setTimeout as sleep } from "node:timers/promises";
import { type Db, MongoClient } from "mongodb";
import { StoreUnavailable } from "../session/contract.ts";
import { passing, storeError } from "./errors.ts";
import { describeStore, type StoreSettings } from "./settings.ts";

const ATTEMPTS = 5;

export class MongodbConnection {
  readonly database: Db;
  readonly #settings: StoreSettings;
  readonly #timeout: number;
  readonly #client: MongoClient;
  #connected: Promise<unknown> | undefined;
  #closing: Promise<void> | undefined;

  constructor(settings: StoreSettings, timeout: number) {
    this.#settings = settings;
    this.#timeout = timeout;
    this.#client = new MongoClient(settings.url, {
      // Less than the whole call's, so that its message can say what was waited for; the last one is for hung connections.
      serverSelectionTimeoutMS: Math.ceil(timeout * 0.8),
      waitQueueTimeoutMS: Math.ceil(timeout * 0.8),
      connectTimeoutMS: Math.ceil(timeout * 0.8),
      socketTimeoutMS: timeout,
      // A secondary would show ended sessions as alive.
      readPreference: "primary",
      // What was answered with success survives a failover.
      ...(!/[?&]w=/i.test(settings.url) && { writeConcern: { w: "majority" } }),
    });
    this.database = this.#client.db(settings.database);
  }

  /** Rejects in time, whatever the server does. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    const place = describeStore(this.#settings);
    // The client would connect again.
    if (this.#closing) throw new StoreUnavailable(`${place}: the connection is closed.`);
    const late = Promise.withResolvers<never>();
    // The client's own limits are for single steps, this one for all of them.
    const timer = setTimeout(() => {
      late.reject(new StoreUnavailable(`${place}: no answer within ${this.#timeout} ms.`));
    }, this.#timeout);
    try {
      return await Promise.race([this.#attempt(work), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #attempt<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#connect();
        return await work();
      } catch (error) {
        if (!passing(error) || attempt >= ATTEMPTS) throw storeError(error, this.#settings, this.#timeout);
        await sleep(Math.random() * 5 * 2 ** attempt);
      }
    }
  }

  /** The client itself wouldn't try again when the first connection failed. */
  async #connect(): Promise<void> {
    this.#connected ??= this.#client.connect();
    try {
      await this.#connected;
    } catch (error) {
      this.#connected = undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closing ??= this.#end();
    await this.#closing;
  }

  async #end(): Promise<void> {
    // The connections are closed even where the server can't be told.
    await this.#client.close().catch(() => undefined);
  }
}
