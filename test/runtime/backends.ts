// What the tests that run on every backend share.
// Change it when more of them begin in the same way.
import type { Session } from "../../runtime/src/session/session.ts";
import type { SessionSettings } from "../../runtime/src/session/settings.ts";
import { packs } from "../../scripts/packs.ts";
import { type App, dataOf, open, Visitor, write } from "./visitor.ts";

export const backends = packs("backends");

/** An app on that backend, and a visitor whose session holds `{ here: 1 }`. Skips the test where the server isn't there. */
export async function started(
  backend: string,
  skip: () => void,
  settings: Partial<SessionSettings> = {},
): Promise<{ app: App; visitor: Visitor }> {
  const app = await open(backend, settings);
  if (app === undefined) {
    skip();
    throw new Error("skipped");
  }
  const visitor = new Visitor(app);
  await visitor.visit(write("here", 1));
  return { app, visitor };
}

/** The data that the visitor's next request finds. */
export async function stored(visitor: Visitor): Promise<Record<string, unknown> | undefined> {
  return (await visitor.visit((session) => ({ ...dataOf(session) }))).result;
}

export async function exists(visitor: Visitor): Promise<boolean | undefined> {
  return (await visitor.visit((session) => session.exists)).result;
}

/** A handler that sets the session's own idle timeout. */
export function setIdle(seconds: number): (session: Session) => void {
  return (session) => {
    session.idle = seconds;
  };
}
