// Stores sessions in a collection of MongoDB: a change is one update, and a session is found by its _id.
// Columns of your own come from src/session-columns.ts; change this file to store sessions in another form.

import { Binary, type Collection, type Document, type Filter } from "mongodb";
import type { SessionDocument } from "../../schema.ts";
import {
  type Access,
  type ChangeResult,
  type SessionChange,
  type SessionDriver,
  type SessionInfo,
  type SessionRow,
  type StoreStats,
  StoreUnavailable,
} from "../session/contract.ts";
import { MongodbConnection } from "./connection.ts";
import { date, type InfoDocument, infoProjection, toDocument, toInfo, toRow } from "./document.ts";
import { isDuplicate } from "./errors.ts";
import { describeStore, type StoreSettings } from "./settings.ts";
import { checkIndexes, createMissingIndexes, tryRequests } from "./start-check.ts";
import { encodeValue, fieldOf } from "./stored-data.ts";

/** Sessions in one batch of `all`. */
const LISTED_AT_ONCE = 500;
/** How often a session is ended again that a change has hidden from the server. */
const MAX_END_ATTEMPTS = 50;
/** Users that `stats` names. */
const TOP_USERS = 10;

export function createDriver(settings: StoreSettings, timeout: number): SessionDriver {
  return new MongodbDriver(settings, timeout);
}

class MongodbDriver implements SessionDriver {
  readonly #settings: StoreSettings;
  readonly #store: MongodbConnection;
  readonly #sessions: Collection<SessionDocument>;

  constructor(settings: StoreSettings, timeout: number) {
    this.#settings = settings;
    this.#store = new MongodbConnection(settings, timeout);
    this.#sessions = this.#store.database.collection<SessionDocument>(settings.collection);
  }

  async setup(): Promise<void> {
    await createMissingIndexes(this.#store, this.#sessions);
    await this.check();
  }

  async check(): Promise<void> {
    await checkIndexes(this.#store, this.#sessions);
    await tryRequests(this, this.#settings);
  }

  async create(row: SessionRow): Promise<void> {
    try {
      await this.#store.run(() => this.#sessions.insertOne(toDocument(row)));
    } catch (error) {
      if (isDuplicate(error)) throw new Error(`There is a session ${row.id} already.`, { cause: error });
      throw error;
    }
  }

  /** A touch is left to `change`: it would make every read a write. */
  async read(id: string, _access: Access): Promise<SessionRow | undefined> {
    const document = await this.#store.run(() => this.#sessions.findOne({ _id: id }));
    return document ? toRow(document) : undefined;
  }

  async change(id: string, change: SessionChange): Promise<ChangeResult> {
    const { now, ifVersion, ifSecretHash } = change;
    const live: Filter<SessionDocument> = { _id: id, expires: { $gte: date(now) } };
    const filter = {
      ...live,
      ...(ifVersion !== undefined && { version: ifVersion }),
      ...(ifSecretHash && { secretHash: new Binary(ifSecretHash) }),
    };
    const pipeline = pipelineOf(change);
    const { matchedCount } = await this.#store.run(() => this.#sessions.updateOne(filter, pipeline));
    if (matchedCount > 0) return "done";
    if (ifVersion === undefined && !ifSecretHash) return "gone";
    const left = await this.#store.run(() => this.#sessions.findOne(live, { projection: { _id: 1 } }));
    return left ? "conflict" : "gone";
  }

  async end(id: string): Promise<boolean> {
    return await this.#remove({ _id: id });
  }

  /** DocumentDB misses a document that is being changed at the same moment. So a session has ended when it can't be found. */
  async #remove(filter: Filter<SessionDocument>): Promise<boolean> {
    for (let attempt = 1; attempt <= MAX_END_ATTEMPTS; attempt++) {
      const { deletedCount } = await this.#store.run(() => this.#sessions.deleteOne(filter));
      if (deletedCount > 0) return true;
      const left = await this.#store.run(() => this.#sessions.findOne(filter, { projection: { _id: 1 } }));
      if (!left) return false;
    }
    throw new StoreUnavailable(`${describeStore(this.#settings)}: a session that changes all the time can't be ended.`);
  }

  async listByUser(userid: string, now: number, limit: number): Promise<SessionInfo[]> {
    const filter = { userid, expires: { $gte: date(now) } };
    return await this.#infos(filter, { created: -1 }, limit);
  }

  async endByUser(userid: string, limit: number, exceptId?: string): Promise<string[]> {
    const filter = { userid, ...(exceptId !== undefined && { _id: { $ne: exceptId } }) };
    const ended: string[] = [];
    // More than once only if others end these sessions or change their user at the same time.
    while (ended.length < limit) {
      const ids = await this.#ids(filter, limit - ended.length);
      if (ids.length === 0) break;
      const those = { _id: { $in: ids } };
      const { deletedCount } = await this.#store.run(() => this.#sessions.deleteMany({ ...those, userid }));
      const left = new Set(deletedCount < ids.length ? await this.#ids(those, ids.length) : []);
      for (const _id of ids) if (!left.has(_id) || (await this.#remove({ _id, userid }))) ended.push(_id);
    }
    return ended;
  }

  async endAll(limit: number): Promise<number> {
    let ended = 0;
    // More than once only if others end sessions at the same time.
    while (ended < limit) {
      const ids = await this.#ids({}, limit - ended);
      if (ids.length === 0) break;
      ended += (await this.#store.run(() => this.#sessions.deleteMany({ _id: { $in: ids } }))).deletedCount;
    }
    return ended;
  }

  async *all(now: number): AsyncGenerator<SessionInfo[]> {
    let lastId = "";
    let sessions: SessionInfo[];
    do {
      // In the order of ids: in that of `expires` a session would come twice if it was touched meanwhile.
      const next = { _id: { $gt: lastId }, expires: { $gte: date(now) } };
      sessions = await this.#infos(next, { _id: 1 }, LISTED_AT_ONCE);
      lastId = sessions.at(-1)?.id ?? lastId;
      yield sessions;
    } while (sessions.length === LISTED_AT_ONCE);
  }

  async stats(now: number): Promise<StoreStats> {
    const alive = { expires: { $gte: date(now) } };
    const signedIn = { ...alive, userid: { $type: "string" as const } };
    const counted = [{ $match: signedIn }, { $group: { _id: "$userid", sessions: { $sum: 1 } } }];
    const most = [{ $sort: { sessions: -1, _id: 1 } }, { $limit: TOP_USERS }];
    const users = await this.#store.run(() => this.#sessions.aggregate<Document>([...counted, ...most]).toArray());
    return {
      live: await this.#store.run(() => this.#sessions.countDocuments(alive)),
      expired: 0,
      signedIn: await this.#store.run(() => this.#sessions.countDocuments(signedIn)),
      users: users.map(({ _id, sessions }) => ({ userid: String(_id), sessions: Number(sessions) })),
    };
  }

  /** MongoDB removes expired sessions by itself, with the index on `expires`. */
  async purge(): Promise<number> {
    return 0;
  }

  async ping(): Promise<void> {
    await this.#store.run(() => this.#store.database.command({ ping: 1 }));
  }

  async close(): Promise<void> {
    await this.#store.close();
  }

  async #infos(filter: Filter<SessionDocument>, sort: Record<string, 1 | -1>, limit: number): Promise<SessionInfo[]> {
    const options = { projection: infoProjection, sort, limit };
    const documents = await this.#store.run(() => this.#sessions.find<InfoDocument>(filter, options).toArray());
    return documents.map(toInfo);
  }

  async #ids(filter: Filter<SessionDocument>, limit: number): Promise<string[]> {
    const options = { projection: { _id: 1 }, limit };
    return (await this.#store.run(() => this.#sessions.find(filter, options).toArray())).map(({ _id }) => _id);
  }
}

/** `$literal` keeps a text that begins with "$" from being an expression. */
function pipelineOf(change: SessionChange): Document[] {
  const { now, userid, secretHash, authenticated, idle, touch } = change;
  const set: Document = { version: { $add: ["$version", 1] } };
  if (touch) {
    const updated = { $max: ["$updated", now] };
    const limits = [{ $add: [updated, idle ?? "$idle"] }, { $add: ["$created", touch.lifetime] }];
    Object.assign(set, { updated, expires: { $add: [date(0), { $multiply: [{ $min: limits }, 1000] }] } });
  }
  if (idle !== undefined) Object.assign(set, { idle });
  if (userid !== undefined) Object.assign(set, { userid: { $literal: userid } });
  if (secretHash) Object.assign(set, { secretHash: new Binary(secretHash) });
  if (authenticated !== undefined) Object.assign(set, { authenticated });
  for (const [name, value] of Object.entries(change.columns ?? {})) set[name] = { $literal: value };
  for (const [key, text] of change.set ?? []) set[`data.${fieldOf(key)}`] = { $literal: encodeValue(key, text) };
  const removed = (change.remove ?? []).map((key) => `data.${fieldOf(key)}`);
  return [...(removed.length > 0 ? [{ $unset: removed }] : []), { $set: set }];
}
