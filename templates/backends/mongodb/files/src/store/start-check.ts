// Creates the indexes of schema.ts, and tries at the start what requests will do.
// Change it when requests need something else of the server.

import type { Collection, IndexDescription, IndexDescriptionInfo } from "mongodb";
import { indexes, type SessionDocument } from "../../schema.ts";
import { type SessionDriver, StoreUnavailable } from "../session/contract.ts";
import { initialColumns } from "../session-columns.ts";
import type { MongodbConnection } from "./connection.ts";
import { firstLine, isMissingCollection } from "./errors.ts";
import { describeStore, type StoreSettings } from "./settings.ts";

type Sessions = Collection<SessionDocument>;

const LIFETIME_SECONDS = 60;

/** Options with which an index doesn't find every session, or refuses some. */
const UNWANTED_OPTIONS = ["sparse", "unique", "hidden", "partialFilterExpression", "collation"] as const;

/** Needs no permission to create anything where nothing is missing. */
export async function createMissingIndexes(store: MongodbConnection, sessions: Sessions): Promise<void> {
  const found = await listIndexes(store, sessions);
  const missing = indexes.filter((wanted) => !findLike(found, wanted));
  if (missing.length === 0) return;
  try {
    await store.run(() => sessions.createIndexes(missing));
  } catch (error) {
    if (error instanceof StoreUnavailable || !(error instanceof Error)) throw error;
    const names = missing.map(({ name }) => `"${name}"`).join(" and ");
    const place = `of collection "${sessions.collectionName}" can't be created`;
    throw new Error(`MONGODB_COLLECTION: the index ${names} ${place} (${firstLine(error.message)}).`, { cause: error });
  }
}

export async function checkIndexes(store: MongodbConnection, sessions: Sessions): Promise<void> {
  const found = await listIndexes(store, sessions);
  const place = `collection "${sessions.collectionName}"`;
  for (const wanted of indexes) {
    const like = findLike(found, wanted);
    if (!like) throw new Error(`The ${place} lacks the index "${wanted.name}": run "npm run sessions -- setup".`);
    const option = differingOption(like, wanted);
    if (option) throw new Error(`The index "${like.name}" of ${place} differs from schema.ts: drop it (${option}).`);
  }
}

/** Works on a session whose token nobody has. A server that only resembles MongoDB may lack what a change needs. */
export async function tryRequests(driver: SessionDriver, settings: StoreSettings): Promise<void> {
  const id = `check-${crypto.randomUUID()}`;
  const now = Math.floor(Date.now() / 1000);
  const expires = now + LIFETIME_SECONDS;
  try {
    await driver.create({
      ...{ id, secretHash: new Uint8Array(32), userid: id, ipaddress: "", useragent: "", columns: initialColumns },
      ...{ created: now, updated: now, authenticated: 0, idle: LIFETIME_SECONDS, expires, data: "{}", version: 1 },
    });
    const change = { now, set: new Map([["check", "1"]]), remove: ["none"], touch: { lifetime: LIFETIME_SECONDS } };
    const result = await driver.change(id, change);
    if (result !== "done") throw new Error(`a change of a session that is there gave "${result}"`);
    await driver.listByUser(id, now, 1);
    if (!(await driver.end(id))) throw new Error("a session that is there could not be ended");
  } catch (error) {
    if (error instanceof StoreUnavailable || !(error instanceof Error) || /^MONGODB_/.test(error.message)) throw error;
    const what = `${describeStore(settings)} can't do what sessions need`;
    throw new Error(`MONGODB_URL: ${what} (${firstLine(error.message)}).`, { cause: error });
  }
}

async function listIndexes(store: MongodbConnection, sessions: Sessions): Promise<IndexDescriptionInfo[]> {
  try {
    return await store.run(() => sessions.listIndexes().toArray());
  } catch (error) {
    if (isMissingCollection(error)) return [];
    throw error;
  }
}

function findLike(found: IndexDescriptionInfo[], { key }: IndexDescription): IndexDescriptionInfo | undefined {
  return found.find((index) => JSON.stringify(index.key) === JSON.stringify(key));
}

function differingOption(found: IndexDescriptionInfo, wanted: IndexDescription): string | undefined {
  const expires = (index: { expireAfterSeconds?: number }) => index.expireAfterSeconds !== undefined;
  if (expires(found) !== expires(wanted)) return "expireAfterSeconds";
  return UNWANTED_OPTIONS.find((option) => found[option]);
}
