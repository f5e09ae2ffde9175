// The connections to PostgreSQL: few, each carrying many prepared statements at once, all limited in time.
// Change it to tune them.

import { setTimeout as sleep } from "node:timers/promises";
import { Client, type ClientConfig, type QueryConfig, type QueryResult, types } from "pg";
import { StoreUnavailable } from "../session/contract.ts";
import { explained, isDemoted, wasLocked, wasRolledBack } from "./errors.ts";
import type { StoreSettings } from "./settings.ts";

/** A connection. */
interface Line {
  client: Client;
  ready: Promise<unknown> | undefined;
  load: number;
  since: number;
}

/** With this load on every line another one is opened. */
const BUSY = 8;

/** Milliseconds for which a line is kept even if it leads to a standby. */
const FRESH = 500;

/** The load of a statement over many rows: requests then choose another line. */
export const HEAVY = 100;

/** Seconds and versions are far below 2^53; data stays text. */
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

  /** One statement, prepared. */
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
        await sleep(attempt * (10 + Math.random() * 40));
      }
    }
  }

  /** Unprepared. Several statements are one transaction. */
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
    // The statements on it reject; the next one opens another line.
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

  /** What is on it may yet be answered. */
  #leave(line: Line): void {
    this.#lines.delete(line);
    void line.client.end();
  }
}

export function clientConfig(settings: StoreSettings, timeout: number): ClientConfig {
  const { host, port, user, password, database, tls } = settings;
  return {
    ...{ host, port, user, database },
    // A function, so that pg doesn't look into PGPASSWORD or ~/.pgpass.
    password: () => password,
    ssl: tls.mode !== "disable" && {
      ...{ ca: tls.ca, cert: tls.cert, key: tls.key, rejectUnauthorized: tls.mode !== "require" },
      ...(tls.mode === "verify-ca" && { checkServerIdentity: () => undefined }),
    },
    enableChannelBinding: tls.channelBinding,
    application_name: "sessions",
    types: { getTypeParser: (oid, format) => PARSERS.get(oid) ?? types.getTypeParser(oid, format) },
    // Statements don't wait for the answers to others: a third of the work.
    pipeline: true,
    // The server gives up first, which keeps the connection; where it hangs, pg drops it.
    connectionTimeoutMillis: timeout,
    query_timeout: timeout,
    statement_timeout: Math.ceil(timeout * 0.9),
    // Much earlier for a row that somebody holds: statements for other sessions wait behind it.
    lock_timeout: Math.ceil(timeout * 0.1),
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  };
}
