// The MongoDB that the tests use: the app's, with a collection of their own.
// Change it to test against another server.

import { MongoClient } from "mongodb";
import { readStoreSettings } from "../src/config.store.ts";
import { Environment } from "../src/environment.ts";

export const testEnvironment: Record<string, string> = { MONGODB_COLLECTION: `sessions_test_${process.pid}` };

export async function cleanUp(): Promise<void> {
  const settings = readStoreSettings(new Environment({ ...process.env, ...testEnvironment }));
  const client = new MongoClient(settings.url);
  await client.db(settings.database).dropCollection(settings.collection);
  await client.close();
}
