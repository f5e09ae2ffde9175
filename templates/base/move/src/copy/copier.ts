// One pass of a copy: makes the target have the sessions of the source, without undoing anything that was done at the target.
// Change it when a session that both stores have changed should be treated in another way. docs/moving.md says what is promised.
import { setTimeout as sleep } from "node:timers/promises";
import { type SessionDriver, type SessionRow, StoreUnavailable, UnreadableRow } from "../session/contract.ts";
import { Guard } from "../session/guard.ts";
import type { Journal } from "./journal.ts";
import { type Copy, checkLimits, copyOf, digestOf, replacement } from "./row.ts";

/** How many sessions are read and written at the same time. */
const AT_ONCE = 50;
/** How often a session is tried again while the store is down or others are changing it. */
const MAX_ATTEMPTS = 8;
const FIRST_RETRY_MS = 100;

export interface Store {
  driver: SessionDriver;
  /** For messages; without the password. */
  name: string;
}

/** What became of the live sessions of the source; each is counted once. */
export interface Outcomes {
  /** It is new at the target. */
  copied: number;
  /** It had changed since it was copied, and the target has the change now. */
  changed: number;
  /** The target has it as it is. */
  same: number;
  /** The app changed it at the target since it was copied, so the target's stays. */
  kept: number;
  /** It ended at the target since it was copied, and stays ended. */
  ended: number;
  /** It ended or expired at the source during the pass. */
  gone: number;
  /** It can't be read at the source, so that the app takes it for no session either. */
  unreadable: number;
  /** The target can't hold it. */
  refused: number;
  /** This pass has written it, and it was not at the target when the pass was over. */
  missing: number;
}

export type Outcome = keyof Outcomes;

export interface Counts extends Outcomes {
  /** Live sessions at the source. */
  source: number;
  /** Live sessions at the target when the pass was over. */
  target: number;
  /** Ended at the target because they had ended at the source since they were copied. */
  removed: number;
}

export interface Report {
  progress(counts: Readonly<Counts>): void;
  refused(id: string, message: string): void;
}

export class Copier {
  readonly #source: Guard;
  readonly #target: Guard;
  readonly #journal: Journal;
  readonly #report: Report;
  readonly #now: () => number;
  readonly #counts: Counts = {
    ...{ copied: 0, changed: 0, same: 0, kept: 0, ended: 0, gone: 0, unreadable: 0, refused: 0, missing: 0 },
    ...{ source: 0, target: 0, removed: 0 },
  };
  /** The sessions that the target must have in the end. */
  readonly #expected = new Map<string, Outcome>();

  /** @param timeout in milliseconds, for each call. @param now seconds since 1970 */
  constructor(
    stores: { source: Store; target: Store },
    timeout: number,
    journal: Journal,
    report: Report,
    now = seconds,
  ) {
    const guard = ({ driver }: Store) => new Guard(driver, timeout, () => undefined);
    this.#source = guard(stores.source);
    this.#target = guard(stores.target);
    this.#journal = journal;
    this.#report = report;
    this.#now = now;
  }

  /**
   * Rejects with StoreUnavailable if a store is down for long; the next pass goes on from there.
   * @param onlyMissing the target may have sessions without being known from an earlier pass
   */
  async run(onlyMissing: boolean): Promise<Counts> {
    const { copies } = this.#journal;
    await this.#checkTarget(onlyMissing);
    const unseen = new Set(copies.keys());
    for await (const infos of this.#source.iterate((driver) => driver.all(this.#now()))) {
      const ids = infos.map(({ id }) => id);
      for (const id of ids) unseen.delete(id);
      this.#counts.source += ids.length;
      for (const some of inChunks(ids)) await this.#copy(some);
    }
    if (this.#counts.source === 0 && this.#remembersLive()) {
      const remedy = "Nothing was ended at the target; `revoke --all` does that.";
      throw new Error(`The source has no session any more, although some have been copied from it. ${remedy}`);
    }
    for (const some of inChunks([...unseen])) await this.#end(some);
    await this.#verify();
    return this.#counts;
  }

  /** A store that was emptied or exchanged must not be taken for one whose sessions have ended. */
  async #checkTarget(onlyMissing: boolean): Promise<void> {
    const isUsed = await this.#hasSessions(this.#target);
    const { file, copies } = this.#journal;
    if (isUsed && copies.size === 0 && !onlyMissing) {
      throw new Error(
        `The target has sessions already, and ${file} doesn't know of a copy. If there was one, run this where that file is. If the app` +
          " has begun to use the target, and nothing was copied before, add --only-missing.",
      );
    }
    if (!isUsed && this.#remembersLive()) {
      throw new Error(`The target has no session any more. To copy all of them once more, delete ${file}.`);
    }
  }

  async #hasSessions(guard: Guard): Promise<boolean> {
    for await (const infos of guard.iterate((driver) => driver.all(this.#now()))) if (infos.length > 0) return true;
    return false;
  }

  /** Whether a copy that was certainly made should still be there. */
  #remembersLive(): boolean {
    const { copies, doubtful } = this.#journal;
    return [...copies].some(([id, { expires }]) => expires >= this.#now() && !doubtful.has(id));
  }

  async #copy(ids: readonly string[]): Promise<void> {
    const rows = new Map<string, SessionRow>();
    const next = new Map<string, Copy>();
    await inParallel(ids, async (id) => {
      try {
        const row = await this.#read(this.#source, id);
        if (row === undefined || row.expires < this.#now()) this.#counts.gone++;
        else if (this.#isUnchanged(id, copyOf(row))) this.#note(id, "same");
        else {
          next.set(id, copyOf(row));
          rows.set(id, row);
        }
      } catch (error) {
        if (!(error instanceof UnreadableRow)) throw error;
        this.#counts.unreadable++;
      }
    });
    if (rows.size > 0) {
      this.#journal.announce(next);
      const remembered = new Map<string, Copy | undefined>();
      await inParallel([...rows], async ([id, row]) => {
        const outcome = await this.#write(row, next.get(id) as Copy);
        this.#note(id, outcome);
        remembered.set(id, isCopy(outcome) ? next.get(id) : await this.#stillThere(id));
      });
      this.#journal.confirm(remembered);
    }
    this.#report.progress(this.#counts);
  }

  #isUnchanged(id: string, copy: Copy): boolean {
    const known = this.#journal.copies.get(id);
    if (known === undefined || this.#journal.doubtful.has(id)) return false;
    return known.digest === copy.digest && known.updated === copy.updated && known.expires === copy.expires;
  }

  #note(id: string, outcome: Outcome): void {
    this.#counts[outcome]++;
    if (isCopy(outcome) || outcome === "kept") this.#expected.set(id, outcome);
  }

  async #write(row: SessionRow, copy: Copy): Promise<Outcome> {
    let failures = 0;
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      try {
        const outcome = await this.#tryWrite(row, copy, attempt > 1);
        if (outcome !== undefined) return outcome;
      } catch (error) {
        // A write that failed may have been done: the second attempt sees it.
        if (!(error instanceof StoreUnavailable) && ++failures > 1) {
          this.#report.refused(row.id, (error as Error).message);
          return "refused";
        }
      }
      await pause(attempt);
    }
    throw new StoreUnavailable(`The target is down, or session ${row.id} is changed all the time`);
  }

  /** Resolves to undefined if somebody else was faster. */
  async #tryWrite(row: SessionRow, copy: Copy, again: boolean): Promise<Outcome | undefined> {
    const { id } = row;
    const there = await this.#target.read(id, { now: this.#now() });
    checkLimits(row, this.#target.driver.limits);
    if (there === undefined || there.expires < Math.max(this.#now(), row.updated)) {
      if (!this.#mayCreate(id)) return "ended";
      await this.#target.run(async (driver) => {
        if (there !== undefined) await driver.end(id);
        await driver.create(row);
      });
      return "copied";
    }
    const digest = digestOf(there);
    if (digest === copy.digest && there.updated >= row.updated) return again ? "changed" : "same";
    if (digest !== copy.digest && !this.#wrote(id, digest)) return "kept";
    const result = await this.#target.run((driver) => driver.change(id, replacement(row, there)));
    return result === "done" ? "changed" : undefined;
  }

  /** A session that is missing at the target has ended there, unless it was never there or has expired in the meantime. */
  #mayCreate(id: string): boolean {
    const { copies, doubtful } = this.#journal;
    const [certain] = doubtful.get(id) ?? [copies.get(id)];
    return certain === undefined || certain.expires < this.#now();
  }

  /** What is to be remembered of a session that wasn't written. */
  async #stillThere(id: string): Promise<Copy | undefined> {
    const known = this.#journal.copies.get(id);
    if (!this.#journal.doubtful.has(id)) return known;
    const there = await this.#read(this.#target, id).catch(undefinedIfUnreadable);
    if (there === undefined) return undefined;
    const digest = digestOf(there);
    return this.#possibleCopies(id).find((copy) => copy.digest === digest);
  }

  /** Whether a copy had this content, and, if it is given, this last access. */
  #wrote(id: string, digest: string, updated?: number): boolean {
    return this.#possibleCopies(id).some(
      (copy) => copy.digest === digest && (updated === undefined || updated === copy.updated),
    );
  }

  #possibleCopies(id: string): Copy[] {
    const { copies, doubtful } = this.#journal;
    return [...(doubtful.get(id) ?? []), copies.get(id)].filter((copy) => copy !== undefined);
  }

  /** Sessions that the source no longer lists. */
  async #end(ids: readonly string[]): Promise<void> {
    const left: string[] = [];
    const forgotten = new Map<string, undefined>();
    await inParallel(ids, async (id) => {
      const row = await this.#read(this.#source, id).catch(undefinedIfUnreadable);
      if (row !== undefined && row.expires >= this.#now()) return left.push(id);
      const there = await this.#read(this.#target, id).catch(undefinedIfUnreadable);
      // Whoever has used it at the target goes on.
      if (there && this.#wrote(id, digestOf(there), there.updated)) {
        await retrying(() => this.#target.run((driver) => driver.end(id)));
        this.#counts.removed++;
      }
      return forgotten.set(id, undefined);
    });
    this.#journal.confirm(forgotten);
    this.#counts.source += left.length;
    await this.#copy(left);
  }

  async #verify(): Promise<void> {
    for await (const infos of this.#target.iterate((driver) => driver.all(this.#now()))) {
      this.#counts.target += infos.length;
      for (const { id } of infos) this.#expected.delete(id);
    }
    for (const some of inChunks([...this.#expected])) {
      await inParallel(some, async ([id, outcome]) => {
        if ((await this.#read(this.#target, id)) !== undefined) return;
        const row = await this.#read(this.#source, id);
        const isLive = row !== undefined && row.expires >= this.#now();
        const isWritten = outcome === "copied" || outcome === "changed";
        this.#counts[outcome]--;
        this.#counts[!isLive ? "gone" : isWritten ? "missing" : "ended"]++;
      });
    }
  }

  #read(guard: Guard, id: string): Promise<SessionRow | undefined> {
    return retrying(async () => await guard.read(id, { now: this.#now() }));
  }
}

/** Whether the target has every session of the source that neither store has ended. */
export function agree(counts: Counts): boolean {
  const { copied, changed, same, kept, ended, gone, unreadable } = counts;
  return counts.source === copied + changed + same + kept + ended + gone + unreadable;
}

function isCopy(outcome: Outcome): boolean {
  return outcome === "copied" || outcome === "changed" || outcome === "same";
}

function undefinedIfUnreadable(error: unknown): undefined {
  if (!(error instanceof UnreadableRow)) throw error;
}

async function retrying<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || attempt === MAX_ATTEMPTS) throw error;
      await pause(attempt);
    }
  }
}

async function pause(attempt: number): Promise<void> {
  await sleep(FIRST_RETRY_MS * 2 ** (attempt - 1) * (0.5 + Math.random() / 2));
}

function* inChunks<Item>(items: readonly Item[]): Generator<Item[]> {
  for (let start = 0; start < items.length; start += AT_ONCE) yield items.slice(start, start + AT_ONCE);
}

async function inParallel<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  await Promise.all(items.map(work));
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
