// Sends requests to CouchDB: signed in, limited in time, with errors that name the setting.
// Change it to send requests in another way.

import nano from "nano";
import { StoreUnavailable } from "../session/contract.ts";
import { asStoreError, isConflict, isMissing, NotCouchdb } from "./errors.ts";
import type { StoreSettings } from "./settings.ts";

interface Call {
  method?: "GET" | "PUT" | "POST";
  /** Below the database, percent-encoded. */
  path?: string;
  query?: object;
  body?: object | number;
  /** A field that CouchDB's response must have; "array" if the response is one. */
  field: "db_name" | "ok" | "_id" | "rev" | "rows" | "docs" | "purged" | "array";
}

export class CouchdbClient {
  readonly #server: nano.ServerScope;
  readonly #settings: StoreSettings;
  readonly #timeout: number;
  #closed = false;

  /** `timeout` in milliseconds, for each request. */
  constructor(settings: StoreSettings, timeout: number) {
    this.#settings = settings;
    this.#timeout = timeout;
    const { url, user, password } = settings;
    // The login is not in the URL, so that no message can show it.
    const login = Buffer.from(`${user}:${password}`).toString("base64");
    // nano asks for compressed responses. Undoing that for one document takes a fifth of a request's processor time.
    const headers = { "Accept-Encoding": "identity", ...(user !== "" && { Authorization: `Basic ${login}` }) };
    const configuration = { url, parseUrl: false, headers };
    this.#server = nano(configuration) as nano.ServerScope;
  }

  /** Rejects with the errors of `asStoreError`, except for a missing document and a conflict, which stay as they are. */
  async request<Reply extends object>({ method = "GET", path, query, body, field }: Call): Promise<Reply> {
    const signal = AbortSignal.timeout(this.#timeout);
    try {
      if (this.#closed) throw new StoreUnavailable("The connection to CouchDB is closed");
      const options = {
        db: this.#settings.database,
        method,
        signal,
        ...(path !== undefined && { path }),
        ...(query && { qs: query }),
        ...(body !== undefined && { body }),
      };
      const reply: unknown = await this.#server.request(options);
      if (signal.aborted) throw signal.reason;
      // nano returns "" for a response that broke off, and text for one that isn't JSON.
      const isJson = typeof reply === "object" && reply !== null && !Buffer.isBuffer(reply);
      if (!isJson || (field === "array" ? !Array.isArray(reply) : !(field in reply))) throw new NotCouchdb();
      return reply as Reply;
    } catch (error) {
      if (path !== undefined && (isMissing(error) || isConflict(error))) throw error;
      throw asStoreError(error, this.#settings);
    }
  }

  close(): void {
    this.#closed = true;
  }
}
