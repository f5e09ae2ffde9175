// Makes the app's sessions of the settings in config.ts and the store in store/.
// Change here where events go, and what happens when the store can't be reached at the start.
import { loadConfig } from "./config.ts";
import type { Adoption } from "./session/adopt.ts";
import type { SessionEvent } from "./session/events.ts";
import { Sessions } from "./session/sessions.ts";
import { createDriver } from "./store/driver.ts";

export interface CreateSessionsOptions {
  /** Takes over the sessions of another system. */
  adopt?: Adoption | undefined;
}

/** Makes what the store lacks in the background. Until then, requests that need the store get 503. */
export function createSessions({ adopt }: CreateSessionsOptions = {}): Sessions {
  const config = loadConfig();
  const driver = createDriver(config.store, config.session.storeTimeout);
  const sessions = new Sessions({ driver, settings: config.session, onEvent: logProblem, adopt });
  sessions
    .ready(config.setup, config.startTimeout, (line) => console.error(line))
    .catch((error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exit(1);
    });
  return sessions;
}

/** The events that somebody should look into. */
const PROBLEMS: readonly SessionEvent["type"][] = ["storeDown", "locked", "unreadable", "warning"];

/** No event holds a secret. */
function logProblem({ type, ...fields }: SessionEvent): void {
  if (!PROBLEMS.includes(type)) return;
  console.error(JSON.stringify({ time: new Date().toISOString(), event: `session.${type}`, ...fields }));
}
