// Where contenders run: the assembled project, the store's server, and the environment in which our driver finds it.
// Change it when a store gets another setting.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assemble } from "../../test/http/assemble.ts";
import { type ServerName, server } from "../../test/servers/server.ts";
import { type Server, start } from "../measuring/servers.ts";
import type { ServeSetting } from "./contender.ts";

export const SERVERS: Record<string, ServerName | undefined> = {
  memory: undefined,
  sqlite: undefined,
  postgres: "postgres",
  mysql: "mariadb",
  redis: "redis",
  mongodb: "mongodb",
  couchdb: "couchdb",
};

export interface Place {
  backend: string;
  /** Empty where the store is in the process. */
  url: string;
  project: string;
  folder: string;
}

/** Undefined where the store's server can't be had. */
export async function placeFor(framework: string, backend: string): Promise<Place | undefined> {
  const name = SERVERS[backend];
  const running = name === undefined ? undefined : await server(name);
  if (name !== undefined && running === undefined) return undefined;
  const project = await assemble({ framework, backend }, "bench");
  return { backend, url: running?.url ?? "", project, folder: mkdtempSync(join(tmpdir(), "bench-")) };
}

/** The environment of a project whose store has the name `unique`. */
export function environment({ backend, url, folder }: Place, unique: string): Record<string, string> {
  const variables: Record<string, Record<string, string>> = {
    memory: {},
    sqlite: { SQLITE_FILE: join(folder, `${unique}.db`) },
    postgres: { DATABASE_URL: url, SESSION_TABLE: unique },
    mysql: { DATABASE_URL: url, SESSION_TABLE: unique },
    redis: { REDIS_URL: url, REDIS_PREFIX: unique },
    mongodb: { MONGODB_URL: url, MONGODB_COLLECTION: unique },
    couchdb: { COUCHDB_URL: url, COUCHDB_DATABASE: unique },
  };
  return { ...variables[backend] };
}

let count = 0;

/** A name that nobody has used in this run. */
export const newName = (): string => `bench_${process.pid}_${++count}`;

export interface StartOptions {
  framework: string;
  who: string;
  sessions?: number;
  /** The store's name; by default one that nobody has used. */
  unique?: string;
  isFilled?: boolean;
  countsStatements?: boolean;
}

export async function startContender(place: Place, options: StartOptions): Promise<Server> {
  const { framework, who, sessions = 500, unique = newName() } = options;
  const { project, url, folder, backend } = place;
  const setting: ServeSetting = {
    ...{ framework, backend, who, project, url, unique, folder, sessions },
    isFilled: options.isFilled ?? false,
    countsStatements: options.countsStatements ?? false,
  };
  const name = ["ours", "lookup", "by hand"].includes(who) ? `${who}, ${backend}` : who;
  Object.assign(process.env, environment(place, unique));
  return start(name, join(import.meta.dirname, "serve.ts"), [JSON.stringify(setting)]);
}
