// Puts `session` on the object that a framework hands to handlers.
import { InvalidData } from "./data.ts";
import type { RequestSession } from "./request-session.ts";

/**
 * Adds the property to this one object, never to a prototype that other apps and session middleware in the process share,
 * and only where there is none yet.
 */
export function exposeSession(target: object, requestSession: RequestSession): void {
  if (Object.hasOwn(target, "session")) return;
  Object.defineProperty(target, "session", {
    configurable: true,
    // Reading it makes the response depend on the session.
    get: () => requestSession.session,
    set() {
      throw new InvalidData("The session can't be replaced: end it with session.destroy(), or set session.data");
    },
  });
}
