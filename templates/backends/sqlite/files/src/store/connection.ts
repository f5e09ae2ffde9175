// The connection to the SQLite file: opens it, waits for other processes' locks, notices when the file is gone.
// Change it to set other pragmas.

import { closeSync, existsSync, mkdirSync, openSync, realpathSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import { StoreUnavailable } from "../session/contract.ts";
import { Checkpoints } from "./checkpoints.ts";

const IN_MEMORY = ":memory:";

/** SQLite's own waiting would stop this process. */
const SQLITE_WAIT_MS = 5;

/** The longest pause between two attempts to get a lock. */
const MAX_PAUSE_MS = 10;

/** The codes that say that the file can't be used. */
const UNAVAILABLE =
  /^SQLITE_(?:BUSY|LOCKED|CANTOPEN|READONLY|IOERR|FULL|CORRUPT|NOTADB|PERM|AUTH|NOMEM|PROTOCOL|NOLFS)/;

/** The open database, and which files it consists of. */
interface Open {
  database: Database.Database;
  statements: Map<string, Database.Statement>;
  files: Map<string, FileIdentity>;
}

/** Undefined while there is no such file. */
type FileIdentity = string | undefined;

export class Connection {
  readonly file: string;
  readonly #timeout: number;
  readonly #prepare: (database: Database.Database) => void;
  readonly #checkpoints: Checkpoints;
  #open: Open | undefined;
  #closed = false;
  /** The file has been looked at in this turn of the event loop. */
  #isFileChecked = false;

  /** `prepare` is called each time the database has been opened. */
  constructor(file: string, timeout: number, prepare: (database: Database.Database) => void) {
    this.file = file;
    this.#timeout = timeout;
    this.#prepare = prepare;
    this.#checkpoints = new Checkpoints(file);
  }

  /** Does `work`, again and again while another process holds the lock. */
  async run<Result>(work: (database: Database.Database) => Result): Promise<Result> {
    const deadline = performance.now() + this.#timeout;
    while (true) {
      let pause: number;
      try {
        return this.#attempt(work);
      } catch (error) {
        // Nothing is tried after the deadline: the client has been told by then that it was not done.
        pause = 1 + Math.random() * MAX_PAUSE_MS;
        if (!isLocked(error) || performance.now() + pause >= deadline) throw this.#explained(error);
      }
      await sleep(pause);
    }
  }

  /** Like `run`, but returns a promise only where another process holds the lock. */
  runNow<Result>(work: (database: Database.Database) => Result, writes = true): Result | Promise<Result> {
    try {
      return this.#attempt(work, writes);
    } catch (error) {
      if (isLocked(error)) return this.run(work);
      throw this.#explained(error);
    }
  }

  /**
   * Like `runNow`. Whether a file beside the database is missing is left for the next write to notice: a read that has
   * missed it has lost nothing. One look at the file is enough for all reads of one turn of the event loop: those that come
   * after it find what they would have found a little earlier.
   */
  readNow<Result>(work: (database: Database.Database) => Result): Result | Promise<Result> {
    return this.runNow(work, false);
  }

  /** Resolves when what was written is in the file itself, without blocking requests. For long work, between its batches. */
  async checkpoint(): Promise<void> {
    if (this.file !== IN_MEMORY) await this.#checkpoints.make();
  }

  /** Prepares the statement, or takes the one that was prepared before. To be called within `run`. */
  statement<Row>(sql: string): Database.Statement<unknown[], Row> {
    const { database, statements } = this.#opened();
    let statement = statements.get(sql);
    if (!statement) {
      statement = database.prepare(sql);
      statements.set(sql, statement);
    }
    return statement as Database.Statement<unknown[], Row>;
  }

  /** Makes the file and its folder, readable for this user only. */
  createFile(): void {
    if (this.file === IN_MEMORY || existsSync(this.file)) return;
    try {
      mkdirSync(dirname(this.file), { recursive: true, mode: 0o700 });
      closeSync(openSync(this.file, "a", 0o600));
    } catch (error) {
      throw this.#explained(error);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    // First, since the last connection that closes removes the write-ahead log.
    await this.#checkpoints.close();
    this.#leave();
  }

  #attempt<Result>(work: (database: Database.Database) => Result, writes = true): Result {
    const { database } = this.#opened();
    try {
      return work(database);
    } finally {
      this.#refuseIfMoved(writes);
    }
  }

  #opened(): Open {
    if (this.#open) return this.#open;
    if (this.#closed) throw new StoreUnavailable("The session store is closed.");
    if (this.file !== IN_MEMORY && !existsSync(this.file)) {
      throw new StoreUnavailable(`SQLITE_FILE ${this.file} doesn't exist. \`npm run sessions -- setup\` makes it.`);
    }
    const path = this.file === IN_MEMORY ? undefined : realpathSync(this.file);
    const before = identityOf(path);
    const database = new Database(this.file, { timeout: SQLITE_WAIT_MS });
    try {
      // In WAL mode a commit survives the death of this process. NORMAL doesn't wait for the disk: a power cut may cost the
      // last writes, never the file.
      database.pragma("synchronous = NORMAL");
      // Reads the file, with which SQLite opens those beside it.
      database.pragma("user_version");
      this.#prepare(database);
    } catch (error) {
      database.close();
      throw error;
    }
    const files = new Map<string, FileIdentity>();
    if (path !== undefined) {
      files.set(this.file, before);
      for (const beside of [`${path}-wal`, `${path}-shm`]) files.set(beside, identityOf(beside));
    }
    this.#open = { database, statements: new Map(), files };
    return this.#open;
  }

  /**
   * SQLite goes on with files that were deleted or replaced: it would read and write what nobody else sees, and what is
   * gone after a restart. So each piece of work counts only if the files are still those that were opened.
   */
  #refuseIfMoved(writes: boolean): void {
    if (!this.#open || (!writes && this.#isFileChecked)) return;
    if (!writes) {
      this.#isFileChecked = true;
      setImmediate(() => {
        this.#isFileChecked = false;
      });
    }
    const { files } = this.#open;
    for (const [file, opened] of files) {
      if (!writes && file !== this.file) return;
      const current = identityOf(file);
      if (current === opened) continue;
      // They don't exist before the first write.
      if (opened === undefined && file !== this.file) {
        files.set(file, current);
        continue;
      }
      this.#leave();
      void this.#checkpoints.close();
      const happened = current === undefined ? "was removed" : "was replaced";
      throw new StoreUnavailable(`SQLITE_FILE ${this.file}: ${file} ${happened} while it was in use.`);
    }
  }

  #leave(): void {
    this.#open?.database.close();
    this.#open = undefined;
  }

  #explained(error: unknown): unknown {
    const { code = "", message } = error as NodeJS.ErrnoException;
    if (error instanceof Database.SqliteError && /^no such (?:table|column)/.test(message)) {
      return new StoreUnavailable(`SQLITE_FILE ${this.file} isn't as in schema.sql: ${message}.`, { cause: error });
    }
    const isOfFileSystem = error instanceof Error && "syscall" in error;
    if (!isOfFileSystem && !(error instanceof Database.SqliteError && UNAVAILABLE.test(code))) return error;
    return new StoreUnavailable(`SQLITE_FILE ${this.file} can't be used: ${message} (${code}).`, { cause: error });
  }
}

/** Another file of the same name has another one. */
function identityOf(path: string | undefined): FileIdentity {
  if (path === undefined) return undefined;
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats && `${stats.dev}:${stats.ino}`;
}

/** Worth trying again. */
export function isLocked(error: unknown): boolean {
  return error instanceof Database.SqliteError && /^SQLITE_(?:BUSY|LOCKED)/.test(error.code);
}

/** There is a row with this id. */
export function isDuplicate(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code === "SQLITE_CONSTRAINT_PRIMARYKEY";
}

/** By a constraint or a trigger. */
export function isRefused(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code.startsWith("SQLITE_CONSTRAINT");
}
