// The PostgreSQL that the tests use: the app's, with a table of their own.
// Change it to test against another server, or set TEST_POSTGRES_URL.

import { Client } from "pg";
import { Environment, loadEnvironment } from "../src/http/environment.ts";
import { clientConfig } from "../src/store/connection.ts";
import { readStoreSettings } from "../src/store/settings.ts";

const variables = loadEnvironment();
const { TEST_POSTGRES_URL: testUrl } = variables;
const given = Object.entries(variables).filter(([name]) => name === "DATABASE_URL" || name.startsWith("PG"));
const ofCompose = "postgres://app:app@localhost:5432/app";

export const testEnvironment: Record<string, string> = {
  ...(given.length === 0 ? { DATABASE_URL: ofCompose } : (Object.fromEntries(given) as Record<string, string>)),
  ...(testUrl !== undefined && { DATABASE_URL: testUrl }),
  SESSION_TABLE: `sessions_test_${process.pid}`,
};

export async function cleanUp(): Promise<void> {
  const settings = readStoreSettings(new Environment(testEnvironment));
  const client = new Client(clientConfig(settings, 5000));
  await client.connect();
  await client.query(`DROP TABLE IF EXISTS "${settings.table}"`);
  await client.end();
}
