// What the type-checker must accept and refuse in handlers. Only `typecheck` reads it, nothing runs it.
// Add a line for each key of SessionData that is worth guarding.
import type { Session } from "../src/session/session.ts";

export function handler(session: Session): void {
  session.data.visits = (session.data.visits ?? 0) + 1;
  // @ts-expect-error There is no such key.
  session.data.visit = 1;
  // @ts-expect-error It is a number.
  session.data.visits = "3";
  // @ts-expect-error Updates are typed as well.
  session.update((data) => data.visit);
  // @ts-expect-error Only the runtime makes it.
  session.id = "x";
}
