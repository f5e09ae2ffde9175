// The session store that this project's tests run against: a collection of their own, in the database that .env names.
// Change it when the store needs other settings in tests.

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
