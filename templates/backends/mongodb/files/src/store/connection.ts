// The connection to MongoDB.
// Change it to set options of the client that should not be in the URL.

import { setTimeout as sleep } from "node:timers/promises";
import { type Db, MongoClient } from "mongodb";
import { StoreUnavailable } from "../session/contract.ts";
import { asStoreError, meansWriteConflict } from "./errors.ts";
import { describeStore, type StoreSettings } from "./settings.ts";

const MAX_ATTEMPTS = 5;
const RETRY_BASE_MS = 5;

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
    // Less than a request may take, so that the error can say what it was that took so long.
    const connectTimeout = Math.ceil(timeout * 0.8);
    this.#client = new MongoClient(settings.url, {
      serverSelectionTimeoutMS: connectTimeout,
      waitQueueTimeoutMS: connectTimeout,
      connectTimeoutMS: connectTimeout,
      // Closes a connection whose other end has gone.
      socketTimeoutMS: timeout,
      // A secondary would show ended sessions as alive.
      readPreference: "primary",
      // A write that was confirmed then survives a failover.
      ...(!/[?&]w=/i.test(settings.url) && { writeConcern: { w: "majority" } }),
    });
    this.database = this.#client.db(settings.database);
  }

  /** Repeats `work` when the server says that nothing was done because another write was faster. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    // The client would connect again.
    if (this.#closing) throw new StoreUnavailable(`${describeStore(this.#settings)}: the connection is closed.`);
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#connect();
        return await work();
      } catch (error) {
        if (!meansWriteConflict(error) || attempt === MAX_ATTEMPTS) {
          throw asStoreError(error, this.#settings, this.#timeout);
        }
        await sleep(Math.random() * RETRY_BASE_MS * 2 ** attempt);
      }
    }
  }

  /** The client itself wouldn't try again when its first connection failed. */
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
    // The connections are closed even where the server can't be reached any more.
    await this.#client.close().catch(() => undefined);
  }
}
