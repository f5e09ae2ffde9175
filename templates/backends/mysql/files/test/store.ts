// The MySQL that the tests use: the app's, with a table of their own.
// Change it to test against another server, or set TEST_MYSQL_URL.

import { createConnection } from "mysql2/promise";
import { Environment, loadEnvironment } from "../src/http/environment.ts";
import { connectionOptions } from "../src/store/pool.ts";
import { readStoreSettings } from "../src/store/settings.ts";

const variables = loadEnvironment();
const { TEST_MYSQL_URL: testUrl } = variables;
const given = Object.entries(variables).filter(([name]) => name === "DATABASE_URL" || name.startsWith("MYSQL_"));
const ofCompose = "mysql://app:app@localhost:3306/app";

export const testEnvironment: Record<string, string> = {
  ...(given.length === 0 ? { DATABASE_URL: ofCompose } : (Object.fromEntries(given) as Record<string, string>)),
  ...(testUrl !== undefined && { DATABASE_URL: testUrl }),
  SESSION_TABLE: `sessions_test_${process.pid}`,
};

export async function cleanUp(): Promise<void> {
  const settings = readStoreSettings(new Environment(testEnvironment));
  const connection = await createConnection(connectionOptions(settings, 5000));
  await connection.execute(`DROP TABLE IF EXISTS \`${settings.table}\``);
  await connection.end();
}
