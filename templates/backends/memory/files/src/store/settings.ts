// The memory store's settings; src/config.ts holds all the others.
// Add a setting here when the driver needs one.

import type { Environment } from "../http/environment.ts";

export interface StoreSettings {
  /** When there are this many, each new session ends the one that has gone longest without a request. */
  maxSessions: number;
}

export function readStoreSettings(env: Environment): StoreSettings {
  return { maxSessions: env.integer("SESSION_MAX_SESSIONS", 10_000, { min: 1, max: 10_000_000 }) };
}

export function describeStore(settings: StoreSettings): string {
  return `this process's memory (at most ${settings.maxSessions} sessions, gone when it ends)`;
}
