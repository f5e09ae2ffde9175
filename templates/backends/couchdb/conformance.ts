// How the drivers' suite opens a store in CouchDB: a database of its own.
// With TEST_COUCHDB_URL the same suite runs on a real CouchDB. README.section.md names what the stand-in can't show.

import type { Fixture } from "../../../test/drivers/fixture.ts";
import { Environment } from "../../base/files/src/http/environment.ts";
import { createDriver } from "./files/src/store/driver.ts";
import { readStoreSettings } from "./files/src/store/settings.ts";
import { starts } from "./starts.ts";

export default {
  server: "couchdb",
  capabilities: { sharedStore: true, nativeExpiry: false, touchesOnRead: false, needsSetup: true },
  starts,
  environment: (url = "", unique) => ({ COUCHDB_URL: url, COUCHDB_DATABASE: unique }),
  async open(url = "", unique) {
    const settings = readStoreSettings(new Environment(this.environment(url, unique)));
    const authorization = `Basic ${btoa(`${settings.user}:${settings.password}`)}`;
    const request = async (path: string, method = "GET", body?: object) => {
      const headers = { authorization, "content-type": "application/json" };
      const target = `${settings.url}/${unique}${path}`;
      return await fetch(target, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    };
    return {
      driver: async () => createDriver(settings, 5000),
      async corrupt(id) {
        const document = (await (await request(`/session-${id}`)).json()) as object;
        const response = await request(`/session-${id}`, "PUT", { ...document, secretHash: "c2hv" });
        if (!response.ok) throw new Error(`CouchDB refused the edit with status ${response.status}`);
      },
      async cleanUp() {
        await request("", "DELETE");
      },
    };
  },
} satisfies Fixture;
