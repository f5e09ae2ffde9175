// Tries at the start what requests will do, so that a wrong setting shows before the first visitor.
// Change it when requests need something else of the server.

import type { SessionDriver } from "../session/contract.ts";
import { initialColumns } from "../session-columns.ts";
import type { RedisConnection } from "./connection.ts";
import { meansDenied, meansWritesRefused } from "./errors.ts";
import { encodeUserid } from "./row.ts";
import type { UserIndex } from "./user-index.ts";

const LIFETIME_SECONDS = 60;

interface Parts {
  driver: SessionDriver;
  connection: RedisConnection;
  index: UserIndex;
  /** The key of the session with this id. */
  keyOf: (id: string) => string;
}

/** Rejects where requests would fail. Warns where sessions can be lost, and where they can only be read for now. */
export async function checkStart({ driver, connection, index, keyOf }: Parts): Promise<void> {
  try {
    await tryRequests({ driver, connection, index, keyOf });
  } catch (error) {
    if (!meansWritesRefused(error)) throw error;
    process.emitWarning(
      `${(error as Error).message}. Sessions can be read, but none can be started or changed for now.`,
    );
  }
  await warnOfEviction(connection);
  // Requests don't wait for this. Where it fails, it is done again by the first one that needs the index.
  void index.rebuildWhereIncomplete().catch(() => undefined);
}

/** Works on a guest's session whose token nobody has, and on an entry in the index for a user that nobody is. */
async function tryRequests({ driver, connection, index, keyOf }: Parts): Promise<void> {
  const id = `check-${crypto.randomUUID()}`;
  const now = Math.floor(Date.now() / 1000);
  const expires = now + LIFETIME_SECONDS;
  await driver.read(id, { now });
  await driver.create({
    ...{ id, secretHash: new Uint8Array(32), userid: null, ipaddress: "", useragent: "", columns: initialColumns },
    ...{ created: now, updated: now, authenticated: 0, idle: LIFETIME_SECONDS, expires, data: "{}", version: 1 },
  });
  await driver.change(id, { now, set: new Map([["check", "1"]]) });
  await connection.run((redis) => redis.hmGet(keyOf(id), ["userid"]));
  await driver.end(id);
  const user = encodeUserid(id);
  await connection.run((redis) => index.add(redis, now, { id, user, keepUntil: expires }));
  await index.readIfComplete(user);
  await connection.run((redis) => index.remove(redis, user, [id]));
}

async function warnOfEviction(connection: RedisConnection): Promise<void> {
  try {
    const sections = await connection.run((redis) => redis.memoryInfo());
    const policies = sections.map((section) => /^maxmemory_policy:(\S+)/m.exec(section)?.[1]);
    const evicting = policies.find((policy) => policy !== undefined && policy !== "noeviction");
    if (evicting === undefined) return;
    process.emitWarning(
      `Redis has the maxmemory-policy "${evicting}": when memory runs short, it ends sessions. Set it to noeviction.`,
    );
  } catch (error) {
    if (!meansDenied(error)) throw error;
    process.emitWarning(
      "The app's user may not ask Redis for its maxmemory-policy (INFO). Make sure that it is noeviction.",
    );
  }
}
