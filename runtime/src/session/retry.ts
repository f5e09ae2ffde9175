// The optimistic loop: read, attempt, and read again where somebody else was faster.
// Change here how often it tries, and how long it waits in between.
import type { SessionContext } from "./context.ts";
import { type SessionRow, StoreUnavailable } from "./contract.ts";
import { rereadRow } from "./find.ts";

const MAX_ROUNDS = 100;
const MAX_PAUSE_MS = 50;

/**
 * Calls `attempt` with the row, and again with the row as stored by then for as long as it resolves to "conflict".
 * In one process, work on the same session takes turns. Resolves to "gone" if the session has ended.
 */
export function retryOnConflict<T>(
  context: SessionContext,
  loaded: SessionRow,
  attempt: (row: SessionRow) => Promise<T | "conflict">,
): Promise<Exclude<T, "conflict"> | "gone"> {
  const { guard, turns } = context;
  const start = performance.now();
  return turns.take(loaded.id, async (waited) => {
    guard.refuseIfDownSince(start);
    let row = waited ? (await rereadRow(context, loaded.id))?.row : loaded;
    for (let round = 1; row !== undefined; round++) {
      const result = await attempt(row);
      if (result !== "conflict") return result as Exclude<T, "conflict">;
      if (round === MAX_ROUNDS)
        throw new StoreUnavailable("The session is changed too often by others to be written to");
      if (round > 2) await randomPause(round);
      row = (await rereadRow(context, loaded.id))?.row;
    }
    return "gone";
  });
}

/** Without chance, two processes that collide would collide again. */
function randomPause(round: number): Promise<void> {
  return new Promise((resume) => setTimeout(resume, Math.random() * Math.min(2 * round, MAX_PAUSE_MS)));
}
