// The settings of the session store: a SQLite file.
// Change it when driver.ts needs another setting.

import type { Environment } from "./environment.ts";

export interface StoreSettings {
  /** Path of the database, made when it is missing (its folder too); ":memory:" for one that ends with the process. */
  file: string;
}

export function readStoreSettings(env: Environment): StoreSettings {
  return { file: env.text("SQLITE_FILE", "./data/sessions.db").trim() };
}

export function describeStore(settings: StoreSettings): string {
  return `SQLite in ${settings.file}`;
}
