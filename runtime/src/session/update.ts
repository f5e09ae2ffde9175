// `session.update`: read, change, write if nobody was faster, else again.
// Change here how often it tries, and how long it waits in between.
import { AsyncLocalStorage } from "node:async_hooks";
import type { SessionData } from "../session-data.ts";
import { patchData, type SessionChange, type SessionRow, StoreUnavailable } from "./contract.ts";
import { changesOf, copyOf, readData } from "./data.ts";
import type { UnitOfWork } from "./unit-of-work.ts";

export type Update<T> = (data: SessionData) => T | Promise<T>;

const MAX_ROUNDS = 100;

const computing = new AsyncLocalStorage<UnitOfWork>();

/** Whether an update of this work is calling: a write from there would wait for itself. */
export function isComputing(work: UnitOfWork): boolean {
  return computing.getStore() === work;
}

/** @returns what `change` returned; undefined if the session was ended meanwhile */
export async function update<T>(work: UnitOfWork, change: Update<T>): Promise<T | undefined> {
  if (work.ended) return undefined;
  if (work.row !== undefined) return updateStored(work, work.row, change);
  // On a copy, so that nothing of it stays if it throws.
  const seen = work.ownText();
  const draft = copyOf(readData(seen));
  const result = await computing.run(work, () => change(draft));
  const changed = changesOf(draft, readData("{}"), work.context.guard.driver.limits);
  if (changed !== undefined) work.checkSize(changed.text, "{}");
  work.replaceData(seen, 0, draft, seen);
  await work.save();
  return result;
}

async function updateStored<T>(work: UnitOfWork, loaded: SessionRow, change: Update<T>): Promise<T | undefined> {
  const { guard, turns } = work.context;
  const start = performance.now();
  return turns.take(loaded.id, async (waited) => {
    guard.refuseIfDownSince(start);
    let row: SessionRow | undefined = waited ? await work.reread(loaded.id) : loaded;
    for (let round = 1; row !== undefined; round++) {
      const { result, outcome }: Attempt<T> = await attempt(work, row, change);
      if (outcome === "done") return result;
      if (outcome === "gone") break;
      if (round === MAX_ROUNDS) throw new StoreUnavailable("The session is changed too often by others to be updated");
      // Without chance, two processes that collide would collide again.
      if (round > 2) await new Promise((resume) => setTimeout(resume, Math.random() * Math.min(2 * round, 50)));
      row = await work.reread(loaded.id);
      if (row !== undefined && work.bound && !sameHash(row, loaded)) break;
    }
    work.end();
    return undefined;
  });
}

interface Attempt<T> {
  result: T;
  outcome: "done" | "gone" | "conflict";
}

async function attempt<T>(work: UnitOfWork, row: SessionRow, change: Update<T>): Promise<Attempt<T>> {
  const { guard, now } = work.context;
  const seen = work.ownText();
  const unsaved = work.dataChange();
  const stored = readData(row.data);
  const draft = copyOf(unsaved === undefined ? stored : readData(patchData(row.data, unsaved)));
  const result = await computing.run(work, () => change(draft));
  const changed = changesOf(draft, stored, guard.driver.limits);
  if (changed === undefined) {
    work.replaceData(row.data, row.version, draft, seen);
    return { result, outcome: "done" };
  }
  work.checkSize(changed.text, row.data);
  const { set, remove, text } = changed;
  const write: SessionChange = { now: now(), set, remove, ifVersion: row.version };
  if (work.bound) write.ifSecretHash = work.row?.secretHash;
  const outcome = await guard.run((driver) => driver.change(row.id, write));
  if (outcome === "done") work.replaceData(text, row.version + 1, draft, seen);
  return { result, outcome };
}

function sameHash(one: SessionRow, other: SessionRow): boolean {
  return Buffer.compare(one.secretHash, other.secretHash) === 0;
}
