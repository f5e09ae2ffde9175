// The example's own keys are typed like any others. Only `typecheck` reads it, nothing runs it.
import type { Session } from "../../src/session/session.ts";

export function handler(session: Session): void {
  session.data.theme = "dark";
  session.data.cart = { tea: 2 };
  // @ts-expect-error There is no such key.
  session.data.them = "dark";
  // @ts-expect-error Neither of the themes.
  session.data.theme = "blue";
}
