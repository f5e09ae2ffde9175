// The connection to the SQLite file: opens it, waits for other processes' locks, puts errors in words.
// Change it to set other pragmas.

import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import { StoreUnavailable } from "../session/contract.ts";

const IN_MEMORY = ":memory:";

/** The file can't be used. */
const UNAVAILABLE =
  /^SQLITE_(?:BUSY|LOCKED|CANTOPEN|READONLY|IOERR|FULL|CORRUPT|NOTADB|PERM|AUTH|NOMEM|PROTOCOL|NOLFS)/;

export class Connection {
  readonly file: string;
  readonly #timeout: number;
  readonly #prepare: (database: Database.Database) => void;
  readonly #statements = new Map<string, Database.Statement>();
  #database: Database.Database | undefined;
  #closed = false;

  /** `prepare` is called each time the database has been opened. */
  constructor(file: string, timeout: number, prepare: (database: Database.Database) => void) {
    this.file = file;
    this.#timeout = timeout;
    this.#prepare = prepare;
  }

  /**
   * Does `work`, again and again while another process holds the lock. SQLite's own waiting would stop this process, so
   * it waits for a few milliseconds only.
   */
  async run<Result>(work: (database: Database.Database) => Result): Promise<Result> {
    for (let deadline = 0; ; ) {
      try {
        return work(this.open());
      } catch (error) {
        if (!isLocked(error)) throw this.#explained(error);
        deadline ||= performance.now() + this.#timeout;
        if (performance.now() >= deadline) throw this.#explained(error);
      }
      await sleep(1 + Math.random() * 9);
    }
  }

  /** A promise only where another process holds the lock. */
  runNow<Result>(work: (database: Database.Database) => Result): Result | Promise<Result> {
    try {
      return work(this.open());
    } catch (error) {
      if (isLocked(error)) return this.run(work);
      throw this.#explained(error);
    }
  }

  /** Kept for the next time. Call it within `run`. */
  statement<Row>(sql: string): Database.Statement<unknown[], Row> {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.open().prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement as Database.Statement<unknown[], Row>;
  }

  /** Makes the file and its folder, readable for this user only. */
  create(): void {
    if (this.file === IN_MEMORY || existsSync(this.file)) return;
    try {
      mkdirSync(dirname(this.file), { recursive: true, mode: 0o700 });
      closeSync(openSync(this.file, "a", 0o600));
    } catch (error) {
      throw this.#explained(error);
    }
  }

  open(): Database.Database {
    if (this.#database) return this.#database;
    if (this.#closed) throw new StoreUnavailable("The session store is closed.");
    if (this.file !== IN_MEMORY && !existsSync(this.file)) {
      throw new StoreUnavailable(`SQLITE_FILE ${this.file} doesn't exist. \`npm run sessions -- setup\` makes it.`);
    }
    const database = new Database(this.file, { timeout: 5 });
    try {
      // In WAL mode a commit survives the death of this process. NORMAL doesn't wait for the disk: a power cut may cost the
      // last writes, never the file.
      database.pragma("synchronous = NORMAL");
      this.#prepare(database);
    } catch (error) {
      database.close();
      throw error;
    }
    this.#database = database;
    return database;
  }

  close(): void {
    this.#closed = true;
    this.#statements.clear();
    this.#database?.close();
    this.#database = undefined;
  }

  #explained(error: unknown): unknown {
    const { code = "", message } = error as NodeJS.ErrnoException;
    const ofFileSystem = error instanceof Error && "syscall" in error;
    if (!ofFileSystem && !(error instanceof Database.SqliteError && UNAVAILABLE.test(code))) return error;
    return new StoreUnavailable(`SQLITE_FILE ${this.file} can't be used: ${message} (${code}).`, { cause: error });
  }
}

/** Worth trying again. */
export function isLocked(error: unknown): boolean {
  return error instanceof Database.SqliteError && /^SQLITE_(?:BUSY|LOCKED)/.test(error.code);
}

export function isDuplicate(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code === "SQLITE_CONSTRAINT_PRIMARYKEY";
}
