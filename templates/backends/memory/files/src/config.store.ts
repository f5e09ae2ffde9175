// The settings of the session store: this process's memory.
// Change it to bound the store otherwise, and driver.ts with it.

import type { Environment } from "./environment.ts";

export interface StoreSettings {
  /** At this many sessions each new one ends the session that was longest without a request. */
  maxSessions: number;
}

export function readStoreSettings(env: Environment): StoreSettings {
  return { maxSessions: env.integer("SESSION_MAX_SESSIONS", 10_000, { min: 1, max: 10_000_000 }) };
}

export function describeStore(settings: StoreSettings): string {
  return `this process's memory (at most ${settings.maxSessions} sessions, gone when it ends)`;
}
