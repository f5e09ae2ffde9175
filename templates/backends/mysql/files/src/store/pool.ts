// Connections to the server: limited in number, each statement with a deadline, thrown away when they hang or break.
// Change it to tune them.

import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type ConnectionOptions,
  createPool,
  type Pool,
  type PoolConnection,
  type ResultSetHeader,
  type RowDataPacket,
} from "mysql2/promise";
import { StoreUnavailable } from "../session/contract.ts";
import { DataTooLarge } from "../session/data.ts";
import { connectError, connectionLost, onlyStatementFailed, type Phase, rolledBack, statementError } from "./errors.ts";
import { describeStore, type StoreSettings } from "./settings.ts";

/**
 * What takes the place of a `?`. Text goes as bytes, which stand in the statement as hexadecimal digits, so that nothing
 * in a value can be taken for SQL, whatever character set and mode the server uses.
 */
export type Value = number | Buffer | Buffer[] | null;

/** The place of a value that is text for the server. */
export const TEXT = "CONVERT(? USING utf8mb4)";

/**
 * Sends statements with their values in them. Prepared statements are no faster here, and can't be relied upon: proxies and
 * servers forget them, number them anew, and limit them.
 */
export interface Queries {
  read<Row extends RowDataPacket>(sql: string, values?: Value[]): Promise<Row[]>;
  /** Returns the number of rows. */
  write(sql: string, values?: Value[]): Promise<number>;
  /** Does `work`, whole or not at all. */
  transaction<Result>(work: (statements: Statements) => Promise<Result>): Promise<Result>;
}

export type Statements = Pick<Queries, "read" | "write">;

type Work<Result> = (connection: PoolConnection) => Promise<Result>;

interface RunOptions {
  /** It may be done twice. */
  repeatable?: boolean;
  phase?: Phase;
}

/** How often a statement is sent that the server rolled back, or that a lost connection has cut off. */
const MAX_ATTEMPTS = 5;

/** The longest pause before the second attempt. It doubles with each one. */
const PAUSE_MS = 10;

export class MysqlPool implements Queries {
  readonly #settings: StoreSettings;
  readonly #timeout: number;
  readonly #pool: Pool;
  /** The longest statement that the connection's server accepts, in bytes. Set when the connection is prepared for use. */
  readonly #maxStatementBytes = new WeakMap<object, number>();
  readonly #open = new Set<PoolConnection["connection"]>();
  #closing: Promise<void> | undefined;

  constructor(settings: StoreSettings, timeout: number) {
    this.#settings = settings;
    this.#timeout = timeout;
    this.#pool = createPool({ ...connectionOptions(settings, timeout), connectionLimit: settings.connections });
  }

  async read<Row extends RowDataPacket>(sql: string, values: Value[] = []): Promise<Row[]> {
    return await this.#run((connection) => this.#statementsOn(connection).read<Row>(sql, values), { repeatable: true });
  }

  /** Not repeated when the connection breaks, since it may have been done. */
  async write(sql: string, values: Value[] = []): Promise<number> {
    return await this.#run((connection) => this.#statementsOn(connection).write(sql, values));
  }

  /** Creates a table. */
  async setUp(sql: string): Promise<void> {
    await this.#run((connection) => this.#statementsOn(connection).write(sql), { phase: "setup" });
  }

  async transaction<Result>(work: (statements: Statements) => Promise<Result>): Promise<Result> {
    return await this.#inTransaction(work, "COMMIT", "request");
  }

  /** Does `work` in a transaction, for checking, and takes it back whatever comes of it. */
  async rolledBack(work: (statements: Statements) => Promise<void>): Promise<void> {
    await this.#inTransaction(work, "ROLLBACK", "setup");
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #inTransaction<Result>(
    work: (statements: Statements) => Promise<Result>,
    end: "COMMIT" | "ROLLBACK",
    phase: Phase,
  ): Promise<Result> {
    const whole: Work<Result> = async (connection) => {
      const statements = this.#statementsOn(connection);
      await statements.write("START TRANSACTION");
      try {
        const result = await work(statements);
        await statements.write(end);
        return result;
      } catch (error) {
        if (onlyStatementFailed(error)) await statements.write("ROLLBACK");
        throw error;
      }
    };
    return await this.#run(whole, { phase });
  }

  #statementsOn(connection: PoolConnection): Statements {
    const options = { timeout: this.#timeout };
    const complete = (sql: string, values: Value[]): string => {
      const statement = connection.format(sql, values);
      const limit = this.#maxStatementBytes.get(connection.connection) ?? Number.POSITIVE_INFINITY;
      if (statement.length >= limit) {
        const remedy = "Raise it to at least five times SESSION_MAX_DATA_BYTES.";
        throw new DataTooLarge(
          `The session is too large for the server: max_allowed_packet is ${limit} bytes. ${remedy}`,
        );
      }
      return statement;
    };
    return {
      async read<Row extends RowDataPacket>(sql: string, values: Value[] = []) {
        const [rows] = await connection.query<Row[]>({ ...options, sql: complete(sql, values) });
        return rows;
      },
      async write(sql, values = []) {
        const [result] = await connection.query<ResultSetHeader>({ ...options, sql: complete(sql, values) });
        return result.affectedRows;
      },
    };
  }

  /** Tries again what the server has rolled back and, if it is `repeatable`, what a broken connection has cut off. */
  async #run<Result>(work: Work<Result>, { repeatable = false, phase = "request" }: RunOptions = {}): Promise<Result> {
    const deadline = performance.now() + this.#timeout;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(work, deadline);
      } catch (error) {
        const again = rolledBack(error) || (repeatable && connectionLost(error));
        if (!again || attempt === MAX_ATTEMPTS || performance.now() >= deadline) {
          throw statementError(error, this.#settings, phase);
        }
        await sleep(Math.random() * PAUSE_MS * 2 ** (attempt - 1));
      }
    }
  }

  async #attempt<Result>(work: Work<Result>, deadline: number): Promise<Result> {
    const connection = await this.#connect();
    try {
      // The caller has got an error by now, so the statement must not run much later.
      if (performance.now() >= deadline) throw new StoreUnavailable(`${describeStore(this.#settings)} is too busy.`);
      await this.#prepare(connection);
      const result = await work(connection);
      connection.release();
      return result;
    } catch (error) {
      if (error instanceof DataTooLarge || onlyStatementFailed(error)) connection.release();
      else discard(connection);
      throw error;
    }
  }

  async #connect(): Promise<PoolConnection> {
    if (this.#closing) throw new StoreUnavailable(`${describeStore(this.#settings)}: the connections are closed.`);
    try {
      return await this.#pool.getConnection();
    } catch (error) {
      throw connectError(error, this.#settings);
    }
  }

  /**
   * Once for each connection. Undoes defaults that cut text short, leave changes uncommitted or read uncommitted ones (READ
   * COMMITTED fails with a binary log of statements). The server must not wait for locks longer than the client does: what
   * was given up would still be done.
   */
  async #prepare(connection: PoolConnection): Promise<void> {
    const { connection: core } = connection;
    if (this.#maxStatementBytes.has(core)) return;
    // Without a listener, an idle connection's second error would end the process.
    core.on("error", () => this.#open.delete(core));
    core.on("end", () => this.#open.delete(core));
    this.#open.add(core);
    const waitSeconds = Math.max(1, Math.floor((this.#timeout / 1000) * 0.9));
    const { read, write } = this.#statementsOn(connection);
    try {
      await write(`SET NAMES utf8mb4, SESSION sql_mode = 'STRICT_ALL_TABLES', SESSION autocommit = 1,
        SESSION lock_wait_timeout = ${waitSeconds}, SESSION innodb_lock_wait_timeout = ${waitSeconds}`);
      await write("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
      const [row] = await read<RowDataPacket & { bytes: number }>("SELECT @@max_allowed_packet AS bytes");
      this.#maxStatementBytes.set(core, Number(row?.bytes));
    } catch (error) {
      throw connectError(error, this.#settings);
    }
  }

  /** A hung server would otherwise keep the sockets open, and with them the process. */
  async #end(): Promise<void> {
    const destroyAll = () => {
      for (const core of this.#open) socketOf(core).destroy();
    };
    const patience = setTimeout(destroyAll, this.#timeout);
    await this.#pool.end().catch(() => undefined);
    clearTimeout(patience);
    destroyAll();
  }
}

export function bytes(text: string): Buffer {
  return Buffer.from(text);
}

/** mysql2's `destroy` only says goodbye: a hung server's socket would hold the process. */
function discard(connection: PoolConnection): void {
  connection.destroy();
  socketOf(connection.connection).destroy();
}

function socketOf(core: PoolConnection["connection"]): Socket {
  return (core as unknown as { stream: Socket }).stream;
}

export function connectionOptions(settings: StoreSettings, timeout: number): ConnectionOptions {
  const { host, port, socket, user, password, database } = settings;
  return {
    ...(socket === undefined ? { host, port } : { socketPath: socket }),
    user,
    password,
    database,
    ...sslOptions(settings),
    charset: "utf8mb4",
    jsonStrings: true,
    dateStrings: true,
    decimalNumbers: true,
    // Otherwise mysql2 captures a stack trace for every statement, in case it fails, which costs a sixth of a read.
    trace: false,
    // Less than the call that waits for it, so that the message names the setting.
    connectTimeout: Math.ceil(timeout * 0.9),
  };
}

function sslOptions({ tls }: StoreSettings): ConnectionOptions {
  if (tls.mode === "off") return {};
  if (tls.mode !== "on") return { ssl: { rejectUnauthorized: false } };
  const ca = tls.ca === undefined ? {} : { ca: tls.ca };
  return { ssl: { rejectUnauthorized: true, verifyIdentity: true, ...ca } };
}
