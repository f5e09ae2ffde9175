// What the type-checker must accept and refuse in handlers; `typecheck` runs it, nothing else does.
// Add a line for each key of SessionData that is worth guarding.
import type { Session } from "../src/session/session.ts";

export function handler(session: Session): void {
  session.data.theme = "dark";
  session.data.visits = (session.data.visits ?? 0) + 1;
  // @ts-expect-error There is no such key.
  session.data.them = "dark";
  // @ts-expect-error It is a number.
  session.data.visits = "3";
  // @ts-expect-error Neither of the themes.
  session.data.theme = "blue";
  // @ts-expect-error Updates are typed as well.
  session.update((data) => data.them);
  // @ts-expect-error Made by the runtime only.
  session.id = "x";
}
