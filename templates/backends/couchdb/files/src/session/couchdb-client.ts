// Requests to CouchDB's database: signed in, limited in time, with errors that say which setting is at fault.
// Change it to send requests otherwise; the requests themselves are in driver.ts.

import nano from "nano";
import type { StoreSettings } from "../config.store.ts";
import { asStoreError, isConflict, isMissing, NotCouchdb } from "./couchdb-errors.ts";
import { StoreUnavailable } from "./store.ts";

export interface Call {
  method?: "GET" | "PUT" | "POST";
  /** Below the database; segments are encoded already. None: the database itself. */
  path?: string;
  /** Keys are sent as JSON by nano. */
  query?: object;
  body?: object | number;
  /** A field of CouchDB's answer; undefined: the answer is an array. Another service's JSON must not pass for it. */
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
    // Not in the URL, so that no message can show it. parseUrl: the URL's path, if any, names no database.
    const configuration = { url, parseUrl: false, headers: user === "" ? {} : { Authorization: `Basic ${login}` } };
    this.#server = nano(configuration) as nano.ServerScope;
  }

  /** A missing document and a conflict are thrown as they are (isMissing, isConflict); everything else as a StoreUnavailable or what CouchDB said. */
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
      // nano gives "" for an answer that broke off, and text for what is no JSON: neither may pass for an empty result.
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
