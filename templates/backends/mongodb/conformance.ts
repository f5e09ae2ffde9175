// How the drivers' suite opens, spoils and removes a store in MongoDB: a collection of its own.
// Change it when the settings change.

import { type Document, MongoClient } from "mongodb";
import type { Fixture } from "../../../test/drivers/fixture.ts";
import { Environment } from "../../base/files/src/http/environment.ts";
import { createDriver } from "./files/src/store/driver.ts";
import { readStoreSettings } from "./files/src/store/settings.ts";
import { starts } from "./starts.ts";

export default {
  server: "mongodb",
  capabilities: { sharedStore: true, nativeExpiry: true, touchesOnRead: false, needsSetup: true },
  starts,
  environment: (url = "", unique) => ({ MONGODB_URL: url, MONGODB_COLLECTION: unique }),
  async open(url, unique) {
    if (url === undefined) throw new Error("this backend needs a server");
    const settings = readStoreSettings(new Environment({ MONGODB_URL: url, MONGODB_COLLECTION: unique }));
    const client = new MongoClient(url);
    const collection = client.db(settings.database).collection<Document & { _id: string }>(unique);
    return {
      driver: async () => createDriver(settings, 5000),
      corrupt: async (id) => void (await collection.updateOne({ _id: id }, { $set: { data: [1] } })),
      async cleanUp() {
        await collection.drop();
        await client.close();
      },
    };
  },
} satisfies Fixture;
