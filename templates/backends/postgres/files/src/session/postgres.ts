// The connections to PostgreSQL: few, each carrying many prepared statements at once, none that a hung server could block for good.
// Change it for other time limits. What an error means to whoever set the app up is in postgres-errors.ts.

import { setTimeout as sleep } from "node:timers/promises";
import { Client, type ClientConfig, type QueryConfig, type QueryResult, types } from "pg";
import type { StoreSettings } from "../config.store.ts";
import { explained, isDemoted, wasLocked, wasRolledBack } from "./postgres-errors.ts";
import { StoreUnavailable } from "./store.ts";

/** A connection and how much it has to do. */
interface Line {
  client: Client;
  ready: Promise<unknown> | undefined;
  load: number;
  since: number;
}

/** With so much to do on every line another one is opened, as long as there may be more. */
const BUSY = 8;

/** Milliseconds for which a new line is kept even if it leads to a standby: while there is nothing else, connecting anew all the time helps nobody. */
const FRESH = 500;

/** The weight of a statement over many rows, so that those on a request's path choose another line. */
export const HEAVY = 100;

/** Seconds and versions are far below 2^53, and data is handed on as text: whoever looks at it parses it. */
const PARSERS = new Map<number, (text: string) => unknown>([
  [types.builtins.INT8, Number],
  [types.builtins.JSONB, (text) => text],
]);

export class Postgres {
  readonly #settings: StoreSettings;
  readonly #config: ClientConfig;
  readonly #lines = new Set<Line>();
  readonly #names = new Map<string, string>();
  #closed = false;

  constructor(settings: StoreSettings, timeout: number) {
    this.#settings = settings;
    this.#config = clientConfig(settings, timeout);
  }

  /** Runs one statement, prepared under a name of its own. */
  async query<Row extends object>(
    text: string,
    values: unknown[],
    weight = 1,
  ): Promise<{ rows: Row[]; count: number }> {
    let name = this.#names.get(text);
    if (name === undefined) {
      name = `session_${this.#names.size + 1}`;
      this.#names.set(text, name);
    }
    for (let attempt = 1; ; attempt++) {
      try {
        const { rows, rowCount } = await this.#send<Row>({ name, text, values }, weight);
        return { rows, count: rowCount ?? 0 };
      } catch (error) {
        const again = wasRolledBack(error) || (weight === HEAVY && wasLocked(error));
        if (attempt === 3 || !again) throw explained(error, this.#settings);
        // Whoever won needs a moment to go on.
        await sleep(attempt * (10 + Math.random() * 40));
      }
    }
  }

  /** Runs SQL as it stands, unprepared. Several statements are one transaction. */
  async run(text: string): Promise<QueryResult> {
    try {
      return await this.#send({ text }, HEAVY);
    } catch (error) {
      throw explained(error, this.#settings);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#lines].map(({ client }) => client.end()));
  }

  async #send<Row extends object>(query: QueryConfig, weight: number): Promise<QueryResult<Row>> {
    const line = this.#line();
    line.load += weight;
    try {
      if (line.ready) await line.ready;
      return await line.client.query<Row>(query);
    } catch (error) {
      const isFresh = performance.now() - line.since < FRESH;
      if (isDemoted(error) && !isFresh && this.#lines.has(line)) this.#leave(line);
      throw error;
    } finally {
      line.load -= weight;
    }
  }

  #line(): Line {
    if (this.#closed) throw new StoreUnavailable("The session store is closed.");
    let least: Line | undefined;
    for (const line of this.#lines) if (least === undefined || line.load < least.load) least = line;
    if (least !== undefined && (least.load < BUSY || this.#lines.size >= this.#settings.connections)) return least;
    return this.#open();
  }

  #open(): Line {
    const client = new Client(this.#config);
    const line: Line = { client, ready: undefined, load: 0, since: performance.now() };
    this.#lines.add(line);
    // Whose statements are on the line is told by those. The next statement opens another line, or is told why not.
    client.on("error", () => this.#lines.delete(line));
    client.on("end", () => this.#lines.delete(line));
    const connect = async () => {
      try {
        await client.connect();
        line.ready = undefined;
      } catch (error) {
        this.#leave(line);
        throw explained(error, this.#settings, true);
      }
    };
    line.ready = connect();
    return line;
  }

  /** What is on it already may yet be answered. */
  #leave(line: Line): void {
    this.#lines.delete(line);
    void line.client.end();
  }
}

export function clientConfig(settings: StoreSettings, timeout: number): ClientConfig {
  const { host, port, user, password, database, tls } = settings;
  return {
    ...{ host, port, user, database },
    // As a function, so that pg looks neither in PGPASSWORD nor in ~/.pgpass for one that isn't set here.
    password: () => password,
    ssl: tls.mode !== "disable" && {
      ...{ ca: tls.ca, cert: tls.cert, key: tls.key, rejectUnauthorized: tls.mode !== "require" },
      ...(tls.mode === "verify-ca" && { checkServerIdentity: () => undefined }),
    },
    enableChannelBinding: tls.channelBinding,
    application_name: "sessions",
    types: { getTypeParser: (oid, format) => PARSERS.get(oid) ?? types.getTypeParser(oid, format) },
    // Statements are sent without waiting for the answers to those before: a third of the work of one at a time.
    pipeline: true,
    // The server gives up first, which keeps the connection; where it hangs altogether, pg throws the connection away.
    connectionTimeoutMillis: timeout,
    query_timeout: timeout,
    statement_timeout: Math.ceil(timeout * 0.9),
    // Much earlier for a row that somebody holds: statements behind it, for other sessions, wait for its answer.
    lock_timeout: Math.ceil(timeout * 0.1),
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  };
}
