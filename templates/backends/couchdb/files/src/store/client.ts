// Sends requests to CouchDB: signed in, limited in time, with errors that name the setting.
// Change it to send requests in another way.

import http from "node:http";
import https from "node:https";
import { urlToHttpOptions } from "node:url";
import { StoreUnavailable } from "../session/contract.ts";
import { asStoreError, isConflict, isMissing, NotCouchdb, refusal } from "./errors.ts";
import type { StoreSettings } from "./settings.ts";

interface Call {
  method?: "GET" | "PUT" | "POST";
  /** Below the database, percent-encoded. */
  path?: string;
  /** Each value is sent as JSON, as views expect their keys. */
  query?: object;
  body?: object | number;
  /** A field that CouchDB's response must have; "array" if the response is one. */
  field: "db_name" | "ok" | "_id" | "rev" | "rows" | "docs" | "purged" | "array";
}

/** How long a connection is kept for the next request: less than servers and proxies do, which would close it in the midst of one. */
const IDLE_MS = 4000;

export class CouchdbClient {
  readonly #protocol: typeof http | typeof https;
  readonly #options: https.RequestOptions;
  readonly #databasePath: string;
  readonly #settings: StoreSettings;
  readonly #timeout: number;
  #closed = false;

  /** `timeout` in milliseconds, for each request. */
  constructor(settings: StoreSettings, timeout: number) {
    this.#settings = settings;
    this.#timeout = timeout;
    const { user, password } = settings;
    const url = new URL(`${settings.url}/${settings.database}`);
    this.#databasePath = url.pathname;
    this.#protocol = url.protocol === "https:" ? https : http;
    const { hostname, port } = urlToHttpOptions(url);
    const agent = new this.#protocol.Agent({ keepAlive: true, timeout: IDLE_MS });
    const login = Buffer.from(`${user}:${password}`).toString("base64");
    const json = { accept: "application/json", "content-type": "application/json" };
    const headers = { ...json, ...(user !== "" && { authorization: `Basic ${login}` }) };
    this.#options = { hostname, port, agent, headers };
  }

  /** Rejects with the errors of `asStoreError`, except for a missing document and a conflict, which stay as they are. */
  async request<Reply extends object>(call: Call): Promise<Reply> {
    const { path, field } = call;
    const signal = AbortSignal.timeout(this.#timeout);
    try {
      if (this.#closed) throw new StoreUnavailable("The connection to CouchDB is closed");
      const { status, text } = await this.#send(call, signal);
      const reply = parse(text);
      if (status >= 300) throw refusal(status, reply);
      const isJson = typeof reply === "object" && reply !== null;
      if (!isJson || (field === "array" ? !Array.isArray(reply) : !(field in reply))) throw new NotCouchdb();
      return reply as Reply;
    } catch (error) {
      if (path !== undefined && (isMissing(error) || isConflict(error))) throw error;
      throw asStoreError(signal.aborted ? signal.reason : error, this.#settings);
    }
  }

  close(): void {
    this.#closed = true;
  }

  /** By node:http, which takes less than half of the processor time of `fetch`. */
  #send({ method = "GET", path, query, body }: Call, signal: AbortSignal): Promise<{ status: number; text: string }> {
    const place = path === undefined ? this.#databasePath : `${this.#databasePath}/${path}`;
    const options = {
      ...this.#options,
      method,
      signal,
      path: query === undefined ? place : `${place}?${encode(query)}`,
    };
    return new Promise((resolve, reject) => {
      const request = this.#protocol.request(options, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
        response.on("error", reject);
      });
      request.on("error", reject);
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

function encode(query: object): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) parameters.set(name, JSON.stringify(value));
  return parameters;
}

/** undefined if the text isn't JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
