// How the drivers' suite opens a store in Redis: with a prefix of its own, on a running server or cluster.
// Change it when the driver gets a setting that the suite should vary.

import type { Fixture } from "../../../test/drivers/fixture.ts";
import { RedisConnection } from "./files/src/store/connection.ts";
import { createDriver } from "./files/src/store/driver.ts";
import { starts } from "./starts.ts";

export default {
  server: "redis",
  variants: ["redis-cluster"],
  capabilities: { sharedStore: true, nativeExpiry: true, touchesOnRead: false, needsSetup: false },
  starts,
  environment: (url = "", unique) => ({ REDIS_URL: url, REDIS_PREFIX: unique }),
  async open(url = "", unique) {
    const settings = { urls: url.split(","), sentinels: [], prefix: unique };
    const connection = new RedisConnection(settings, 5000);
    return {
      driver: async () => createDriver(settings, 5000),
      async corrupt(id) {
        await connection.run((redis) =>
          redis.changeSession(`${unique}:id:${id}`, ["0", "", "", "", "0", "secretHash", "c2hv"]),
        );
      },
      async cleanUp() {
        let cursor = "0";
        do {
          const reply = await connection.run((redis) => redis.scan(cursor, { MATCH: `${unique}:*`, COUNT: 1000 }));
          await connection.run((redis) => Promise.all(reply.keys.map((key) => redis.unlink(key))));
          cursor = reply.cursor;
        } while (cursor !== "0");
        connection.close();
      },
    };
  },
} satisfies Fixture;
