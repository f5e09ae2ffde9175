// Requests to CouchDB: signed in, limited in time, with errors that name the setting.
// Change it to send requests otherwise.

import nano from "nano";
import { StoreUnavailable } from "../session/contract.ts";
import { asStoreError, isConflict, isMissing, NotCouchdb } from "./errors.ts";
import type { StoreSettings } from "./settings.ts";

export interface Call {
  method?: "GET" | "PUT" | "POST";
  /** Below the database, percent-encoded. */
  path?: string;
  query?: object;
  body?: object | number;
  /** A field of CouchDB's answer; undefined: an array. */
  field: "db_name" | "ok" | "_id" | "rev" | "rows" | "purged" | undefined;
}

export class CouchdbClient {
  readonly #server: nano.ServerScope;
  readonly #settings: StoreSettings;
  #closed = false;

  constructor(settings: StoreSettings) {
    this.#settings = settings;
    const { url, user, password } = settings;
    const login = Buffer.from(`${user}:${password}`).toString("base64");
    // Not in the URL, so that no message can show it.
    const configuration = { url, parseUrl: false, headers: user === "" ? {} : { Authorization: `Basic ${login}` } };
    this.#server = nano(configuration) as nano.ServerScope;
  }

  /** Rejects with asStoreError's, but with a missing document or a conflict as it is. */
  async request<Answer extends object>(
    { method = "GET", path, query, body, field }: Call,
    signal: AbortSignal,
  ): Promise<Answer> {
    try {
      if (this.#closed) throw new StoreUnavailable("The connection to CouchDB is closed");
      const options = {
        db: this.#settings.database,
        method,
        signal,
        ...(path !== undefined && { path }),
        ...(query && { qs: query }),
        ...(body && { body }),
      };
      const answer: unknown = await this.#server.request(options);
      if (signal.aborted) throw signal.reason;
      // nano gives "" for an answer that broke off, and text for what is no JSON.
      const isCouchdb = typeof answer === "object" && answer !== null && !Buffer.isBuffer(answer);
      if (!isCouchdb || (field === undefined ? !Array.isArray(answer) : !(field in answer))) throw new NotCouchdb();
      return answer as Answer;
    } catch (error) {
      if (path !== undefined && (isMissing(error) || isConflict(error))) throw error;
      throw asStoreError(error, this.#settings);
    }
  }

  close(): void {
    this.#closed = true;
  }
}
