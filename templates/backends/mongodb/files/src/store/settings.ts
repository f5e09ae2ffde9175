// The settings of MongoDB. src/config.ts holds all the others.
// Add a setting here when the driver needs one. MongoDB's own options go into the URL.

import { accessSync, constants } from "node:fs";
import { MongoClient } from "mongodb";
import { ConfigError, type Environment } from "../http/environment.ts";

export interface StoreSettings {
  /** May hold a password, so it must never be shown. */
  url: string;
  /** Hosts and ports, for messages. */
  servers: string;
  database: string;
  collection: string;
}

export function readStoreSettings(env: Environment): StoreSettings {
  const url = env.text("MONGODB_URL", "mongodb://localhost:27017/app").trim();
  const collection = env.text("MONGODB_COLLECTION", "sessions");
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(collection)) {
    throw new ConfigError("MONGODB_COLLECTION must be at most 63 letters, digits and _, and begin with no digit.");
  }
  return { ...readUrl(url), url, collection };
}

/** By hand, since a WHATWG URL can't have several hosts. */
function readUrl(url: string): { servers: string; database: string } {
  const parts = /^mongodb(?:\+srv)?:\/\/(?:[^@/]*@)?([^@/?]+)(?:\/([^?]*))?(?:\?.*)?$/.exec(url);
  if (!parts) {
    throw new ConfigError(
      "MONGODB_URL must be mongodb://user:password@host:27017/database or mongodb+srv://…; special characters in a password are percent-encoded.",
    );
  }
  const [, servers = "", database = ""] = parts;
  if (!/^[A-Za-z0-9_-]{1,63}$/.test(database)) {
    throw new ConfigError(
      "MONGODB_URL must name a database of letters, digits, _ and -: mongodb://host:27017/database",
    );
  }
  const { files, unconfirmed } = readOptions(url);
  if (unconfirmed)
    throw new ConfigError("MONGODB_URL: w=0 confirms no write. Without w= the majority of the servers does.");
  for (const file of files) {
    try {
      accessSync(file, constants.R_OK);
    } catch (error) {
      throw new ConfigError(`MONGODB_URL: the file ${file} can't be read (${(error as NodeJS.ErrnoException).code}).`);
    }
  }
  return { servers, database };
}

/** The files that options name, and whether writes stay unconfirmed. */
function readOptions(url: string): { files: string[]; unconfirmed: boolean } {
  try {
    const { tlsCAFile, tlsCRLFile, tlsCertificateKeyFile, writeConcern } = new MongoClient(url).options;
    const files = [tlsCAFile, tlsCRLFile, tlsCertificateKeyFile].filter((file) => file !== undefined);
    return { files, unconfirmed: writeConcern?.w === 0 };
  } catch (error) {
    throw new ConfigError(`MONGODB_URL: ${reasonOf(error, url)}.`);
  }
}

/** What MongoDB's client finds wrong, unless its message holds the user or the password. */
function reasonOf(error: unknown, url: string): string {
  const line = (error instanceof Error ? error.message : String(error)).split("\n")[0]?.replace(/[.\s]+$/, "") ?? "";
  const login = /\/\/([^@/]*)@/.exec(url)?.[1] ?? "";
  const secrets = login.split(":").filter((part) => part !== "");
  return secrets.some((secret) => line.includes(secret)) ? "it is malformed" : line;
}

/** For messages. Never shows the password. */
export function describeStore({ servers, database }: StoreSettings): string {
  return `MongoDB at ${servers}, database ${database}`;
}
