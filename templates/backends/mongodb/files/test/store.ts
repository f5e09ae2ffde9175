// The MongoDB that the tests use: the app's, with a collection of their own.
// Change it to test against another server.

import { MongoClient } from "mongodb";
import { Environment, loadEnvironment } from "../src/http/environment.ts";
import { readStoreSettings } from "../src/store/settings.ts";

export const testEnvironment: Record<string, string> = { MONGODB_COLLECTION: `sessions_test_${process.pid}` };

export async function cleanUp(): Promise<void> {
  const settings = readStoreSettings(new Environment({ ...loadEnvironment(), ...testEnvironment }));
  const client = new MongoClient(settings.url);
  await client.db(settings.database).dropCollection(settings.collection);
  await client.close();
}
