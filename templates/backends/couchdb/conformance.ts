// How the drivers' suite opens a CouchDB store: a database of its own.
// What the stand-in of test/servers can't show is listed by name in README.section.md; on TEST_COUCHDB_URL the same suite runs.

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
        const answer = await request(`/session-${id}`, "PUT", { ...document, secretHash: "c2hv" });
        if (!answer.ok) throw new Error(`CouchDB answered ${answer.status}`);
      },
      async cleanUp() {
        await request("", "DELETE");
      },
    };
  },
} satisfies Fixture;
