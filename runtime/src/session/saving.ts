// Writes to the store what a request has changed of its session.
// Change here what is written when; what counts as a change is in state.ts.
import { initialColumns } from "../session-columns.ts";
import type { CheckedRow } from "./context.ts";
import {
  type ChangeResult,
  expiry,
  patchData,
  type SessionChange,
  type SessionRow,
  StoreUnavailable,
} from "./contract.ts";
import { copyOf, type DataChange } from "./data.ts";
import { rereadRow } from "./find.ts";
import { enforceUserLimit } from "./limit.ts";
import { retryOnConflict } from "./retry.ts";
import { StaleToken } from "./stale-token.ts";
import type { SessionState, Unsaved } from "./state.ts";
import { equalHashes, newToken, type Token } from "./token.ts";
import { checkSize } from "./working-copy.ts";

/** A write of at most this many bytes is not checked against what is stored by now. */
const UNCHECKED_WRITE_BYTES = 256;

/** Saves at the end of a request, and touches if that is due. Returns undefined if there is nothing to wait for. */
export function finish(state: SessionState): Promise<void> | undefined {
  // No handler has waited for a write that is still under way, so that its failure is this request's.
  const { latest } = state.queue;
  const unsaved = latest === undefined ? state.unsaved() : undefined;
  if (latest === undefined && unsaved === undefined && !state.touchDue()) return undefined;
  return state.queue.run(async () => {
    await latest;
    await save(state, unsaved ?? state.unsaved());
    await touchIfDue(state);
  });
}

/** For `session.save()`: saves, which counts as an access also where there is nothing to write. */
export async function saveNow(state: SessionState): Promise<void> {
  const unsaved = state.unsaved();
  if (unsaved !== undefined) return save(state, unsaved);
  if (!state.detached && !state.touchDue()) return;
  const found = await lookAgain(state);
  if (found === undefined) return;
  state.accessed(found.row);
  await touchIfDue(state);
}

/** For `session.reload()`: what is not saved yet is kept. */
export async function reload(state: SessionState): Promise<void> {
  const own = state.row;
  const found = await lookAgain(state);
  if (own === undefined || found === undefined) return;
  state.adopt(found.row, copyOf(found.data), own.data);
  await touchIfDue(state);
}

/** Reads the session again, which is an access, and ends the request's view of it if it is gone. */
export async function lookAgain(state: SessionState): Promise<CheckedRow | undefined> {
  const { row, context, endedBy, options } = state;
  if (row === undefined || endedBy !== undefined) return undefined;
  const touch = { ...touchOf(state), every: context.settings.touchEvery, secretHash: row.secretHash };
  const found = await rereadRow(context, row.id, { touch });
  const isOwn = found !== undefined && (!options.opened || equalHashes(found.row.secretHash, row.secretHash));
  if (isOwn) return found;
  state.end("gone");
  return undefined;
}

/** Writes what is unsaved. */
export async function save(state: SessionState, unsaved = state.unsaved()): Promise<void> {
  if (unsaved === undefined) return;
  const { userid } = state.pending;
  if (state.row === undefined) await create(state, unsaved);
  else await write(state, state.row, unsaved);
  if (typeof userid !== "string" || state.row === undefined || state.endedBy !== undefined) return;
  if (await enforceUserLimit(state.context, userid, state.row.id)) state.end("limit");
}

/** Signs the user in and saves, or leaves everything as it was. */
export async function signIn(state: SessionState, userid: string): Promise<void> {
  const start = () =>
    state.orRestorePending(async () => {
      state.setUser(userid);
      await save(state);
    });
  if (state.endedBy !== undefined) state.startOver();
  await start();
  // It was ended or renewed by another request meanwhile: the sign-in gets a session of its own.
  if (state.endedBy !== "gone") return;
  state.startOver();
  await start();
}

/** Ends the session in the store. */
export async function destroy(state: SessionState): Promise<void> {
  const { row, endedBy, context } = state;
  if (endedBy !== undefined) return;
  // Without a row nothing of it is stored, and nothing will be.
  if (row === undefined) return state.end("gone");
  const removed = await context.guard.run((driver) => driver.end(row.id));
  state.end("destroyed");
  if (removed) context.emit({ type: "ended", id: row.id, userid: row.userid, reason: "destroyed" });
}

async function create(state: SessionState, { data, columns }: Unsaved): Promise<void> {
  const { settings, lifetime, guard, emit } = state.context;
  // The client would never learn the new token, and leave a row behind each time.
  if (state.options.bearerIsStale && typeof state.pending.userid !== "string") throw new StaleToken();
  const now = state.context.now();
  const token = newToken();
  await state.settle(async ({ userid = null, authenticated = 0, idle = settings.idle }) => {
    const row: SessionRow = {
      id: token.id,
      secretHash: token.secretHash,
      userid,
      created: now,
      updated: now,
      authenticated,
      idle,
      expires: expiry(now, idle, now, lifetime),
      ...state.options.client(),
      columns: { ...initialColumns, ...columns },
      data: data?.text ?? "{}",
      version: 1,
    };
    await guard.run((driver) => driver.create(row));
    state.created(row, token);
    emit({ type: "created", id: row.id, userid });
    if (userid !== null) emit({ type: "signedIn", id: row.id, userid });
  });
}

async function write(state: SessionState, row: SessionRow, unsaved: Unsaved): Promise<void> {
  const { data, columns } = unsaved;
  const { opened } = state.options;
  await state.settle(async (pending) => {
    const { token, userid, authenticated, idle } = pending;
    const change: SessionChange = { now: state.context.now() };
    if (data !== undefined) Object.assign(change, changeOfData(row, data));
    if (columns !== undefined) change.columns = columns;
    if (userid !== undefined) Object.assign(change, { userid, authenticated });
    if (idle !== undefined) change.idle = idle;
    if (token !== undefined) change.secretHash = token.secretHash;
    if (token !== undefined || idle !== undefined || state.touchDue()) change.touch = touchOf(state);
    // A slow request with an old token must not get the session's new one.
    if (token !== undefined || opened) change.ifSecretHash = row.secretHash;
    const result = await changeWithinLimit(state, row, change, data);
    if (result === "done") written(state, row, change, data?.text ?? row.data, token);
    else if (result === "gone" || (opened && token === undefined)) state.end("gone");
    else await afterRenewal(state, row, pending, unsaved);
  });
}

/**
 * Parallel writes that are each within `maxDataBytes` could together exceed it by far, so that large ones are checked
 * against what is stored by now. "conflict": the session has another secret.
 */
async function changeWithinLimit(
  state: SessionState,
  row: SessionRow,
  change: SessionChange,
  data: DataChange | undefined,
): Promise<ChangeResult> {
  const { guard } = state.context;
  if (data === undefined || !isLarge(data)) return guard.run((driver) => driver.change(row.id, change));
  const result = await retryOnConflict(state.context, row, async (current) => {
    if (change.ifSecretHash !== undefined && !equalHashes(current.secretHash, change.ifSecretHash)) return "renewed";
    // As a change of the row that this request knows, it has been checked already.
    if (current !== row) checkSize(state.context, patchData(current.data, change), current.data);
    return guard.run((driver) => driver.change(row.id, { ...change, ifVersion: current.version }));
  });
  return result === "renewed" ? "conflict" : result;
}

function written(state: SessionState, row: SessionRow, change: SessionChange, data: string, token?: Token): void {
  state.written(row, change, data, token);
  const { renewals, emit } = state.context;
  const { id, userid: before } = row;
  const { userid } = change;
  if (token !== undefined) renewals.note(id);
  if (userid !== undefined && before !== null && before !== userid) emit({ type: "signedOut", id, userid: before });
  if (typeof userid === "string") emit({ type: "signedIn", id, userid });
  else if (userid === undefined && token !== undefined) emit({ type: "renewed", id, userid: before });
}

/** The secret has been replaced since this request was let in. */
async function afterRenewal(
  state: SessionState,
  row: SessionRow,
  pending: SessionState["pending"],
  { data, columns }: Unsaved,
): Promise<void> {
  const { token, ...rest } = pending;
  const stored = (await rereadRow(state.context, row.id))?.row;
  state.keepPending(rest);
  if (stored === undefined) return state.end("gone");
  if (token !== undefined && equalHashes(stored.secretHash, token.secretHash)) {
    // It was this request itself, by a write whose result came too late.
    written(state, row, { now: state.context.now(), secretHash: token.secretHash }, row.data, token);
    return save(state);
  }
  if (rest.userid === null) {
    // A sign-out holds, whatever the secret is by now.
    await state.context.guard.run((driver) => driver.end(row.id));
    return state.end("gone");
  }
  if (rest.userid !== undefined) {
    // A sign-in stands on its credentials, not on the old token: it gets a session of its own.
    state.startOverWithData();
    return save(state);
  }
  // It asked for a new secret, and there is one, which is not for this request to have: only what it wrote is kept.
  if (data !== undefined || columns !== undefined || rest.idle !== undefined) await save(state);
}

/** For drivers that can't touch while they read. A failure is no loss, since the next access touches again. */
export async function touchIfDue(state: SessionState): Promise<void> {
  const { row, context } = state;
  if (row === undefined || !state.touchDue()) return;
  const change: SessionChange = { now: context.now(), touch: touchOf(state), ifSecretHash: row.secretHash };
  try {
    const result = await context.guard.run((driver) => driver.change(row.id, change));
    if (result === "gone") state.end("gone");
    if (result === "done") written(state, row, change, row.data);
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
  }
}

export function touchOf({ context }: SessionState): { lifetime: number } {
  return { lifetime: context.lifetime };
}

/** @param row the session that `data` is a change of */
export function changeOfData(
  { version }: SessionRow,
  { set, remove, text }: DataChange,
): Pick<SessionChange, "set" | "remove" | "whole"> {
  return { set, remove, whole: { version, data: text } };
}

/** What counts is how much is set, whatever is removed. */
function isLarge({ set }: DataChange): boolean {
  let bytes = 0;
  for (const [key, json] of set) bytes += Buffer.byteLength(key) + Buffer.byteLength(json);
  return bytes > UNCHECKED_WRITE_BYTES;
}
