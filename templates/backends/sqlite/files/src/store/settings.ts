// SQLite's settings; src/config.ts holds all the others.
// Add a setting here when the driver needs one.

import type { Environment } from "../http/environment.ts";

export interface StoreSettings {
  /** A path, or ":memory:" for a database that ends with the process. */
  file: string;
}

export function readStoreSettings(env: Environment): StoreSettings {
  return { file: env.text("SQLITE_FILE", "./data/sessions.db").trim() };
}

export function describeStore(settings: StoreSettings): string {
  return `SQLite in ${settings.file}`;
}
