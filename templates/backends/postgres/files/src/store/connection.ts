// The connections to PostgreSQL: few, each carrying many prepared statements at once, all limited in time.
// Change it to tune them.

import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, type ClientConfig, type QueryConfig, type QueryResult, types } from "pg";
import { StoreUnavailable } from "../session/contract.ts";
import { explained, hasNameTaken, isDemoted, wasForgotten, wasLocked, wasRolledBack } from "./errors.ts";
import type { StoreSettings } from "./settings.ts";

/** What the table's statements are sent through. */
export interface Queries {
  query<Row extends object>(
    text: string,
    values: unknown[],
    load?: number,
  ): Promise<{ rows: Row[] /** The rows returned or affected. */; count: number }>;
}

/** One connection, and how much is being done on it. */
interface Line {
  client: Client;
  /** Until the connection is open. */
  ready: Promise<unknown> | undefined;
  load: number;
  /** By performance.now(). */
  opened: number;
}

/** When every line has this load, another one is opened. */
const BUSY_LOAD = 8;

/** The load of a statement over many rows: requests then choose another line. */
export const HEAVY_LOAD = 100;

/** For how long a line is kept even if it leads to a standby. */
const FRESH_MS = 500;

/** How often a statement is sent that did nothing because the server rolled it back or had forgotten it. */
const MAX_ATTEMPTS = 3;

/** Seconds and versions are far below 2^53; data stays text. */
const PARSERS = new Map<number, (text: string) => unknown>([
  [types.builtins.INT8, Number],
  [types.builtins.NUMERIC, Number],
  [types.builtins.JSONB, (text) => text],
]);

export class Postgres implements Queries {
  readonly #settings: StoreSettings;
  readonly #config: ClientConfig;
  readonly #lines = new Set<Line>();
  /** Statement to the name under which the server keeps it. */
  readonly #names = new Map<string, string>();
  #keepsStatements = true;
  #closed = false;

  constructor(settings: StoreSettings, timeout: number) {
    this.#settings = settings;
    this.#config = clientConfig(settings, timeout);
  }

  /** Sends one statement, which the server keeps prepared where it can. */
  async query<Row extends object>(text: string, values: unknown[], load = 1): Promise<{ rows: Row[]; count: number }> {
    let isNamed = true;
    for (let attempt = 1; ; attempt++) {
      try {
        const named = isNamed && this.#keepsStatements ? { name: this.#nameOf(text) } : {};
        const { rows, rowCount } = await this.#send<Row>({ ...named, text, values }, load);
        return { rows, count: rowCount ?? 0 };
      } catch (error) {
        const isForgotten = wasForgotten(error) || hasNameTaken(error);
        const isWorthRepeating = isForgotten || wasRolledBack(error) || (load === HEAVY_LOAD && wasLocked(error));
        if (attempt === MAX_ATTEMPTS || !isWorthRepeating) throw explained(error, this.#settings, "request");
        // Without a name it doesn't matter what the next connection remembers.
        if (isForgotten) isNamed = false;
        else await sleep(attempt * (10 + Math.random() * 40));
      }
    }
  }

  /** Sends statements without parameters, for setting up. Several are one transaction. */
  async run(text: string): Promise<QueryResult> {
    try {
      return await this.#send({ text }, HEAVY_LOAD);
    } catch (error) {
      throw explained(error, this.#settings, "setup");
    }
  }

  /** Does `work` in a transaction on a connection of its own, for checking, and takes it back whatever comes of it. */
  async rolledBack(work: (queries: Queries) => Promise<void>): Promise<void> {
    if (this.#closed) throw new StoreUnavailable("The session store is closed.");
    const client = new Client({ ...this.#config, pipeline: false });
    // The statement that is under way rejects as well.
    client.on("error", () => undefined);
    const query = async <Row extends object>(text: string, values: unknown[] = []) => {
      try {
        const { rows, rowCount } = await client.query<Row>(text, values);
        return { rows, count: rowCount ?? 0 };
      } catch (error) {
        throw explained(error, this.#settings, "setup");
      }
    };
    try {
      await client.connect().catch((error: unknown) => {
        throw explained(error, this.#settings, "connect");
      });
      await query("BEGIN");
      await work({ query });
      await query("ROLLBACK");
    } finally {
      // Ending the connection rolls back too.
      await client.end();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#lines].map(({ client }) => client.end()));
  }

  /**
   * The same name for the same statement in every process: a pooler lends a connection to one process after the other, and
   * what one has prepared must not be taken for something else by the next.
   */
  #nameOf(text: string): string {
    let name = this.#names.get(text);
    if (name === undefined) {
      name = `session_${createHash("sha256").update(text).digest("base64url")}`;
      this.#names.set(text, name);
    }
    return name;
  }

  async #send<Row extends object>(query: QueryConfig, load: number): Promise<QueryResult<Row>> {
    const line = this.#line();
    line.load += load;
    try {
      if (line.ready) await line.ready;
      gather(line.client.connection.stream);
      return await line.client.query<Row>(query);
    } catch (error) {
      // This process names each statement once on a connection. Where the name is taken all the same, a pooler shares
      // connections without keeping statements apart, so that none can be kept.
      if (hasNameTaken(error)) this.#keepsStatements = false;
      const isFresh = performance.now() - line.opened < FRESH_MS;
      if (wasForgotten(error) || (isDemoted(error) && !isFresh)) this.#leave(line);
      throw error;
    } finally {
      line.load -= load;
    }
  }

  /** The line with the least to do, or another one when all are busy. */
  #line(): Line {
    if (this.#closed) throw new StoreUnavailable("The session store is closed.");
    let least: Line | undefined;
    for (const line of this.#lines) {
      if (least === undefined || line.load < least.load) least = line;
    }
    if (least !== undefined && (least.load < BUSY_LOAD || this.#lines.size >= this.#settings.connections)) return least;
    return this.#open();
  }

  #open(): Line {
    const client = new Client(this.#config);
    const line: Line = { client, ready: undefined, load: 0, opened: performance.now() };
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
        throw explained(error, this.#settings, "connect");
      }
    };
    line.ready = connect();
    return line;
  }

  /** Sends nothing more on the line. Statements that were sent before still get their results. */
  #leave(line: Line): void {
    if (this.#lines.delete(line)) void line.client.end();
  }
}

/** Sends what is written until the end of this turn of the event loop at once, which saves system calls under load. */
function gather(stream: Duplex): void {
  if (stream.writableCorked > 0) return;
  stream.cork();
  setImmediate(() => stream.uncork());
}

export function clientConfig(settings: StoreSettings, timeout: number): ClientConfig {
  return {
    host: settings.host,
    port: settings.port,
    user: settings.user,
    database: settings.database,
    // A function, so that pg doesn't look into PGPASSWORD or ~/.pgpass.
    password: () => settings.password,
    ssl: sslConfig(settings),
    enableChannelBinding: settings.tls.channelBinding,
    application_name: "sessions",
    types: { getTypeParser: (oid, format) => PARSERS.get(oid) ?? types.getTypeParser(oid, format) },
    // A statement is sent without waiting for the results of those before it, which saves a third of the work.
    pipeline: true,
    connectionTimeoutMillis: timeout,
    query_timeout: timeout,
    ...(!settings.pooler && serverTimeouts(timeout)),
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  };
}

/** The server gives up before the client does, which keeps the connection; pg closes the connection to a server that hangs. */
function serverTimeouts(timeout: number): ClientConfig {
  return {
    statement_timeout: Math.ceil(timeout * 0.9),
    // Much earlier for a row that somebody holds, since statements for other sessions wait behind it.
    lock_timeout: Math.ceil(timeout * 0.1),
  };
}

function sslConfig({ tls }: StoreSettings): ClientConfig["ssl"] {
  if (tls.mode === "disable") return false;
  return {
    ca: tls.ca,
    cert: tls.cert,
    key: tls.key,
    rejectUnauthorized: tls.mode !== "require",
    ...(tls.mode === "verify-ca" && { checkServerIdentity: () => undefined }),
  };
}
