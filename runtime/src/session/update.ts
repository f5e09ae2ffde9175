// `session.update`: an atomic read-modify-write of the data.
import { AsyncLocalStorage } from "node:async_hooks";
import type { SessionData } from "../session-data.ts";
import { patchData, type SessionChange, type SessionRow } from "./contract.ts";
import { changesOf, copyOf, readData } from "./data.ts";
import { retryOnConflict } from "./retry.ts";
import { changeOfData, lookAgain, save, touchIfDue, touchOf } from "./saving.ts";
import type { SessionState } from "./state.ts";
import { equalHashes } from "./token.ts";
import { checkSize } from "./working-copy.ts";

export type Update<T> = (data: SessionData) => T | Promise<T>;

const updating = new AsyncLocalStorage<SessionState>();

/** Whether an update's callback of this session is running: a write from there would wait for itself. */
export function isUpdating(state: SessionState): boolean {
  return updating.getStore() === state;
}

/** Resolves to what `change` returned; undefined if the session has ended. */
export async function update<T>(state: SessionState, change: Update<T>): Promise<T | undefined> {
  if (state.endedBy !== undefined) return undefined;
  const { row: loaded } = state;
  if (loaded === undefined) return updateUnsaved(state, change);
  const outcome = await retryOnConflict(state.context, loaded, async (row) => {
    if (state.options.opened && !equalHashes(row.secretHash, loaded.secretHash)) return "gone";
    return attempt(state, row, change);
  });
  if (outcome !== "gone") return outcome.result;
  state.end("gone");
  return undefined;
}

/** On a copy, so that nothing of it stays if `change` throws. */
async function updateUnsaved<T>(state: SessionState, change: Update<T>): Promise<T> {
  const seen = state.ownText();
  const draft = copyOf(readData(seen));
  const result = await updating.run(state, () => change(draft));
  const changed = changesOf(draft, readData("{}"), state.context.guard.driver.limits);
  if (changed !== undefined) checkSize(state.context, changed.text, "{}");
  state.adopt(undefined, draft, seen);
  await save(state);
  return result;
}

async function attempt<T>(
  state: SessionState,
  row: SessionRow,
  change: Update<T>,
): Promise<{ result: T } | "gone" | "conflict"> {
  const { context } = state;
  const seen = state.ownText();
  const stored = readData(row.data);
  const unsaved = state.dataChange();
  const draft = copyOf(unsaved === undefined ? stored : readData(patchData(row.data, unsaved)));
  const result = await updating.run(state, () => change(draft));
  const changed = changesOf(draft, stored, context.guard.driver.limits);
  if (changed === undefined) {
    // Nothing to write doesn't mean that nothing has happened: the row may have been loaded long ago.
    const current = (await lookAgain(state))?.row;
    if (current === undefined) return "gone";
    if (current.version !== row.version) return "conflict";
    state.adopt(current, draft, seen);
    await touchIfDue(state);
    return { result };
  }
  checkSize(context, changed.text, row.data);
  const write: SessionChange = { now: context.now(), ...changeOfData(row, changed), ifVersion: row.version };
  if (state.options.opened && state.row !== undefined) write.ifSecretHash = state.row.secretHash;
  if (state.touchDue()) write.touch = touchOf(state);
  const outcome = await context.guard.run((driver) => driver.change(row.id, write));
  if (outcome !== "done") return outcome;
  state.adopt({ ...row, data: changed.text }, draft, seen);
  if (state.row !== undefined) state.written(state.row, write, changed.text);
  return { result };
}
