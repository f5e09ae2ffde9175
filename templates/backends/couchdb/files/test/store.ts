// The CouchDB that the tests use: the app's, with a database of their own.
// Change it to test against another server, or set TEST_COUCHDB_URL.

import { Environment, loadEnvironment } from "../src/http/environment.ts";
import { readStoreSettings } from "../src/store/settings.ts";

const variables = loadEnvironment();
const { TEST_COUCHDB_URL: testUrl } = variables;
const given = Object.entries(variables).filter(([name]) => name.startsWith("COUCHDB_"));
const ofCompose = "http://admin:admin@localhost:5984";

export const testEnvironment: Record<string, string> = {
  ...(given.length === 0 ? { COUCHDB_URL: ofCompose } : (Object.fromEntries(given) as Record<string, string>)),
  ...(testUrl !== undefined && { COUCHDB_URL: testUrl }),
  COUCHDB_DATABASE: `sessions_test_${process.pid}`,
};

export async function cleanUp(): Promise<void> {
  const { url, user, password, database } = readStoreSettings(new Environment(testEnvironment));
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  const response = await fetch(`${url}/${database}`, { method: "DELETE", headers: { authorization } });
  if (!response.ok && response.status !== 404) throw new Error(`DELETE /${database} got status ${response.status}`);
}
