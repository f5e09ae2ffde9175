// Connections to the server: limited in number, each call with a deadline, thrown away when they hang or break.
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
import { connectError, connectionLost, onlyStatementFailed, rolledBack, statementError } from "./errors.ts";
import { describeStore, type StoreSettings } from "./settings.ts";

/**
 * Against defaults that cut text short, leave changes uncommitted or read uncommitted ones (READ COMMITTED fails with a
 * binary log of statements), or wait for locks longer than the client does: what was given up would still be done.
 */
function greeting(timeout: number): string[] {
  const wait = Math.max(1, Math.floor((timeout / 1000) * 0.9));
  return [
    `SET NAMES utf8mb4, SESSION sql_mode = 'STRICT_ALL_TABLES', SESSION autocommit = 1,
      SESSION lock_wait_timeout = ${wait}, SESSION innodb_lock_wait_timeout = ${wait}`,
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
  ];
}

const ATTEMPTS = 5;

export type Value = string | number | Buffer | null;

type Work<Result> = (connection: PoolConnection) => Promise<Result>;

export class MysqlPool {
  readonly #settings: StoreSettings;
  readonly #timeout: number;
  readonly #pool: Pool;
  readonly #greeted = new WeakSet<object>();
  readonly #open = new Set<PoolConnection["connection"]>();
  #closing: Promise<void> | undefined;

  constructor(settings: StoreSettings, timeout: number) {
    this.#settings = settings;
    this.#timeout = timeout;
    this.#pool = createPool({
      ...connectionOptions(settings, timeout),
      connectionLimit: settings.connections,
      // A server allows 16,382 over all connections.
      maxPreparedStatements: 100,
    });
  }

  async read(sql: string, values: Value[] = []): Promise<RowDataPacket[]> {
    const work: Work<RowDataPacket[]> = async (connection) => {
      const [rows] = await connection.execute<RowDataPacket[]>(sql, values);
      return rows;
    };
    return await this.#run(work, { repeatable: true });
  }

  /** Returns the number of rows. Not repeated when the connection breaks: it may have been done. */
  async write(sql: string, values: Value[] = []): Promise<number> {
    const work: Work<number> = async (connection) => {
      const [{ affectedRows }] = await connection.execute<ResultSetHeader>(sql, values);
      return affectedRows;
    };
    return await this.#run(work, { repeatable: false });
  }

  /**
   * Tries again, within the one deadline, what the server has rolled back, and, if it is `repeatable`, what a broken
   * connection has cut off.
   */
  async #run<Result>(work: Work<Result>, { repeatable }: { repeatable: boolean }): Promise<Result> {
    const deadline = performance.now() + this.#timeout;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(work, deadline);
      } catch (error) {
        const again = rolledBack(error) || (repeatable && connectionLost(error));
        if (!again || attempt >= ATTEMPTS || performance.now() >= deadline) throw statementError(error, this.#settings);
        await sleep(Math.random() * 5 * 2 ** attempt);
      }
    }
  }

  async #attempt<Result>(work: Work<Result>, deadline: number): Promise<Result> {
    const late = Promise.withResolvers<never>();
    let connection: PoolConnection | undefined;
    let expired = false;
    const timer = setTimeout(() => {
      expired = true;
      // It may answer yet, to somebody else's question: never back into the pool.
      if (connection) discard(connection);
      late.reject(new StoreUnavailable(`${describeStore(this.#settings)}: no answer within ${this.#timeout} ms.`));
    }, deadline - performance.now());
    const running = this.#connect().then(async (connected) => {
      if (expired) {
        connected.release();
        return await late.promise;
      }
      connection = connected;
      return await this.#use(connected, work);
    });
    try {
      return await Promise.race([running, late.promise]);
    } finally {
      clearTimeout(timer);
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

  async #use<Result>(connection: PoolConnection, work: Work<Result>): Promise<Result> {
    try {
      await this.#greet(connection);
      const result = await work(connection);
      connection.release();
      return result;
    } catch (error) {
      if (onlyStatementFailed(error)) connection.release();
      else discard(connection);
      throw error;
    }
  }

  async #greet(connection: PoolConnection): Promise<void> {
    const { connection: core } = connection;
    if (this.#greeted.has(core)) return;
    // Without a listener, an idle connection's second error would end the process.
    core.on("error", () => this.#open.delete(core));
    core.on("end", () => this.#open.delete(core));
    this.#open.add(core);
    try {
      for (const statement of greeting(this.#timeout)) await connection.query(statement);
    } catch (error) {
      throw connectError(error, this.#settings);
    }
    this.#greeted.add(core);
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    const given = AbortSignal.timeout(this.#timeout);
    const patience = new Promise<void>((resolve) => given.addEventListener("abort", () => resolve()));
    await Promise.race([this.#pool.end().catch(() => undefined), patience]);
    for (const core of this.#open) socketOf(core).destroy();
  }
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
  const { host, port, socket, user, password, database, tls } = settings;
  const checked = tls.mode === "on";
  const ca = tls.mode === "on" && tls.ca !== undefined ? { ca: tls.ca } : {};
  return {
    ...(socket === undefined ? { host, port } : { socketPath: socket }),
    user,
    password,
    database,
    ...(tls.mode !== "off" && { ssl: { rejectUnauthorized: checked, verifyIdentity: checked, ...ca } }),
    charset: "utf8mb4",
    jsonStrings: true,
    // Less than the call that waits for it, so that the message names the setting.
    connectTimeout: Math.ceil(timeout * 0.9),
  };
}
