// The file that remembers what has been copied, so that a copy can go on after it was killed and be repeated at will.
// Change it when more has to be remembered of a copied session; files of another form are refused.
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import type { Copy } from "./row.ts";

/*
  The first line names both stores. Then one line for each change: an id with what was copied, or with "-" for a session that is
  no longer remembered. A line is written before the session is. "=" confirms the lines since the last such sign. A session whose
  lines aren't confirmed may have been written or not; "?" keeps them so.
*/

const CONFIRMED = "=";
const UNCONFIRMED = "?";

export class Journal {
  readonly file: string;
  readonly copies = new Map<string, Copy>();
  /** Sessions whose last writes may or may not have happened: what else the target may have, the oldest first. */
  readonly doubtful = new Map<string, (Copy | undefined)[]>();
  #descriptor: number;

  /** Throws if the file is of other stores, or in use by another process. */
  constructor(file: string, from: string, to: string) {
    this.file = file;
    mkdirSync(dirname(file), { recursive: true });
    lock(file);
    const header = JSON.stringify({ from, to });
    if (existsSync(file)) this.#read(header);
    this.#descriptor = this.#rewrite(header);
  }

  /** To be called before sessions are written. */
  announce(copies: ReadonlyMap<string, Copy>): void {
    this.#append([...copies].map(([id, copy]) => lineOf(id, copy)));
  }

  /** To be called after they have been written. For a session that was not, pass what was remembered of it before. */
  confirm(copies: ReadonlyMap<string, Copy | undefined>): void {
    this.#append([...[...copies].map(([id, copy]) => lineOf(id, copy)), CONFIRMED]);
    for (const [id, copy] of copies) {
      this.doubtful.delete(id);
      if (copy === undefined) this.copies.delete(id);
      else this.copies.set(id, copy);
    }
  }

  close(): void {
    closeSync(this.#descriptor);
    rmSync(lockOf(this.file), { force: true });
  }

  #read(header: string): void {
    // A line that a crash has cut off was never relied upon.
    const [first, ...lines] = readFileSync(this.file, "utf8").split("\n").slice(0, -1);
    if (first !== header) {
      throw new Error(
        `${this.file} is about a copy between other stores (${first}). Delete it, or give another --journal.`,
      );
    }
    const open = new Set<string>();
    for (const line of lines) {
      if (line === CONFIRMED || line === UNCONFIRMED) {
        if (line === CONFIRMED) for (const id of open) this.doubtful.delete(id);
        open.clear();
        continue;
      }
      const [id = "", digest = "", updated, expires] = line.split(" ");
      open.add(id);
      this.doubtful.set(id, [...(this.doubtful.get(id) ?? []), this.copies.get(id)]);
      if (digest === "-") this.copies.delete(id);
      else this.copies.set(id, { digest, updated: Number(updated), expires: Number(expires) });
    }
  }

  /** Replaces the file by a short one: each session once, with all that is known of it by now. */
  #rewrite(header: string): number {
    const next = `${this.file}.next`;
    this.#descriptor = openSync(next, "w");
    const confirmed = [...this.copies].filter(([id]) => !this.doubtful.has(id)).map(([id, copy]) => lineOf(id, copy));
    const unconfirmed: string[] = [];
    for (const [id, [first, ...others]] of this.doubtful) {
      if (first !== undefined) confirmed.push(lineOf(id, first));
      for (const copy of [...others, this.copies.get(id)]) unconfirmed.push(lineOf(id, copy));
    }
    this.#append([header, ...confirmed, CONFIRMED, ...unconfirmed, UNCONFIRMED]);
    renameSync(next, this.file);
    return this.#descriptor;
  }

  /** The lines are on the disk when it returns. */
  #append(lines: readonly string[]): void {
    const bytes = Buffer.from(`${lines.join("\n")}\n`);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at);
    fsyncSync(this.#descriptor);
  }
}

function lineOf(id: string, copy: Copy | undefined): string {
  return copy === undefined ? `${id} -` : `${id} ${copy.digest} ${copy.updated} ${copy.expires}`;
}

function lockOf(file: string): string {
  return `${file}.lock`;
}

/** Throws if another process has the lock. That of a process that was killed is taken over. */
function lock(file: string): void {
  const path = lockOf(file);
  try {
    const descriptor = openSync(path, "wx");
    writeSync(descriptor, `${process.pid}`);
    closeSync(descriptor);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const owner = Number(readFileSync(path, "utf8"));
    if (owner !== process.pid && isRunning(owner)) {
      // After a crash, the number may be another process's by now.
      throw new Error(`Process ${owner} is copying with ${file} already. If that is no copy, delete ${path}.`);
    }
    rmSync(path);
    lock(file);
  }
}

function isRunning(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
