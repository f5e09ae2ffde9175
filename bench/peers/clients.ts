// The stores' clients as all contenders use them: those that our project depends on, with the settings that our drivers have.
// Change it when a driver gets other settings.

import { createRequire } from "node:module";
import { join } from "node:path";
import type { Setting } from "./contender.ts";

// biome-ignore lint/suspicious/noExplicitAny: packages of the project, which this folder has no types of.
export function installed({ project }: Pick<Setting, "project">, name: string): any {
  return createRequire(join(project, "package.json"))(name);
}

export function sqlite(setting: Setting) {
  const database = new (installed(setting, "better-sqlite3"))(join(setting.folder, `${setting.unique}.db`));
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = NORMAL");
  return database;
}

export function postgres(setting: Setting) {
  return new (installed(setting, "pg").Pool)({ connectionString: setting.url, max: 10 });
}

export async function redis(setting: Setting) {
  const client = installed(setting, "redis").createClient({ url: setting.url });
  await client.connect();
  return client;
}
