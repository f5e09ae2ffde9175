// Stores sessions in a collection of MongoDB: a change is one update, a look-up one find by _id.
// Change it when a session gets another field: here, in session-document.ts, and in schema.ts.

import { Binary, type Collection, type Document, type Filter } from "mongodb";
import { indexes, type SessionDocument } from "../../schema.ts";
import {
  type Access,
  type ChangeResult,
  type Page,
  type SessionChange,
  type SessionDriver,
  type SessionRow,
  type StoreStats,
  StoreUnavailable,
} from "../session/contract.ts";
import { MongodbConnection } from "./connection.ts";
import { date, fromDocument, readable, toDocument } from "./document.ts";
import { describeStore, type StoreSettings } from "./settings.ts";
import { encode, field } from "./stored-data.ts";

const BATCH = 500;
const PERSISTENCE = 50;

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
    try {
      // Where nothing is missing, no permission to create is needed.
      return await this.check();
    } catch (error) {
      if (!(error instanceof MissingIndex)) throw error;
    }
    await this.#store.run(() => this.#sessions.createIndexes(indexes));
    await this.check();
  }

  async check(): Promise<void> {
    const { collection } = this.#settings;
    const found = await this.#store.run(async () => {
      try {
        return await this.#sessions.listIndexes().toArray();
      } catch (error) {
        // 26: no such collection.
        if ((error as { code?: unknown }).code === 26) return [];
        throw error;
      }
    });
    for (const { name, key, expireAfterSeconds } of indexes) {
      const like = found.find((index) => JSON.stringify(index.key) === JSON.stringify(key));
      if (!like) {
        throw new MissingIndex(
          `Collection "${collection}" lacks the index "${name}": run "npm run sessions -- setup".`,
        );
      }
      if ((expireAfterSeconds === undefined) !== (like.expireAfterSeconds === undefined)) {
        throw new Error(
          `Index "${like.name}" of collection "${collection}" is not as in schema.ts: expireAfterSeconds.`,
        );
      }
    }
    await this.#store.run(() => this.#sessions.findOne({ _id: "" }));
  }

  async create(row: SessionRow): Promise<void> {
    await this.#store.run(() => this.#sessions.insertOne(toDocument(row)));
  }

  /** A touch is left to `change`: it would make every read a write. */
  async read(id: string, _access: Access): Promise<SessionRow | undefined> {
    const document = await this.#store.run(() => this.#sessions.findOne({ _id: id }));
    return document ? fromDocument(document) : undefined;
  }

  async change(id: string, change: SessionChange): Promise<ChangeResult> {
    const { now, userid, secretHash, authenticated, idle, touch, ifVersion, ifSecretHash } = change;
    const set: Document = { version: { $add: ["$version", 1] } };
    if (touch) {
      const updated = { $max: ["$updated", now] };
      const ends = [{ $add: [updated, idle ?? "$idle"] }, { $add: ["$created", touch.lifetime] }];
      set.updated = updated;
      set.expires = { $add: [date(0), { $multiply: [{ $min: ends }, 1000] }] };
    }
    if (idle !== undefined) set.idle = idle;
    // Otherwise a string that begins with "$" would be an expression.
    if (userid !== undefined) set.userid = { $literal: userid };
    if (secretHash) set.secretHash = new Binary(secretHash);
    if (authenticated !== undefined) set.authenticated = authenticated;
    for (const [key, text] of change.set ?? []) set[`data.${field(key)}`] = { $literal: encode(key, text) };
    const removed = (change.remove ?? []).map((key) => `data.${field(key)}`);

    const live: Filter<SessionDocument> = { _id: id, expires: { $gte: date(now) } };
    const filter = {
      ...live,
      ...(ifVersion !== undefined && { version: ifVersion }),
      ...(ifSecretHash && { secretHash: new Binary(ifSecretHash) }),
    };
    const pipeline = [...(removed.length > 0 ? [{ $unset: removed }] : []), { $set: set }];
    const { matchedCount } = await this.#store.run(() => this.#sessions.updateOne(filter, pipeline));
    if (matchedCount > 0) return "done";
    if (ifVersion === undefined && !ifSecretHash) return "gone";
    const left = await this.#store.run(() => this.#sessions.findOne(live, { projection: { _id: 1 } }));
    return left ? "conflict" : "gone";
  }

  async end(id: string): Promise<boolean> {
    return await this.#remove({ _id: id });
  }

  /** DocumentDB misses a document that is just being changed: ended is what can't be found. */
  async #remove(filter: Filter<SessionDocument>): Promise<boolean> {
    for (let attempt = 1; attempt <= PERSISTENCE; attempt++) {
      const { deletedCount } = await this.#store.run(() => this.#sessions.deleteOne(filter));
      if (deletedCount > 0) return true;
      if (!(await this.#store.run(() => this.#sessions.findOne(filter, { projection: { _id: 1 } })))) return false;
    }
    throw new StoreUnavailable(`${describeStore(this.#settings)}: a session that changes all the time can't be ended.`);
  }

  async listByUser(userid: string, now: number, limit: number): Promise<SessionRow[]> {
    const mine = { userid, expires: { $gte: date(now) } };
    return readable(
      await this.#store.run(() => this.#sessions.find(mine).sort({ created: -1 }).limit(limit).toArray()),
    );
  }

  async endByUser(userid: string, exceptId?: string): Promise<string[]> {
    const ids = await this.#ids({ userid, ...(exceptId !== undefined && { _id: { $ne: exceptId } }) });
    const ended: string[] = [];
    for (let at = 0; at < ids.length; at += BATCH) {
      const batch = ids.slice(at, at + BATCH);
      const those = { _id: { $in: batch } };
      const { deletedCount } = await this.#store.run(() => this.#sessions.deleteMany({ ...those, userid }));
      // Some may have got another user, been ended meanwhile, or been missed (see #remove).
      const left = new Set(deletedCount < batch.length ? await this.#ids(those) : []);
      for (const _id of batch) if (!left.has(_id) || (await this.#remove({ _id, userid }))) ended.push(_id);
    }
    return ended;
  }

  async #ids(filter: Filter<SessionDocument>, limit = 0): Promise<string[]> {
    const only = { projection: { _id: 1 }, limit };
    return (await this.#store.run(() => this.#sessions.find(filter, only).toArray())).map(({ _id }) => _id);
  }

  async endAll(): Promise<number> {
    for (let ended = 0; ; ) {
      const ids = await this.#ids({}, BATCH);
      if (ids.length === 0) return ended;
      ended += (await this.#store.run(() => this.#sessions.deleteMany({ _id: { $in: ids } }))).deletedCount;
    }
  }

  async page({ now, after = "", limit }: Page): Promise<SessionRow[]> {
    for (let from = after; ; ) {
      const next = { _id: { $gt: from }, expires: { $gte: date(now) } };
      const found = await this.#store.run(() => this.#sessions.find(next).sort({ _id: 1 }).limit(limit).toArray());
      const sessions = readable(found);
      // A page of nothing but unreadable documents is not the end.
      if (sessions.length > 0 || found.length < limit) return sessions;
      from = found.at(-1)?._id ?? from;
    }
  }

  async stats(now: number): Promise<StoreStats> {
    const alive = { expires: { $gte: date(now) } };
    const signedIn = { ...alive, userid: { $type: "string" as const } };
    const top = [{ $match: signedIn }, { $group: { _id: "$userid", sessions: { $sum: 1 } } }];
    const order = [{ $sort: { sessions: -1, _id: 1 } }, { $limit: 10 }];
    const users = await this.#store.run(() => this.#sessions.aggregate<Document>([...top, ...order]).toArray());
    return {
      live: await this.#store.run(() => this.#sessions.countDocuments(alive)),
      expired: 0,
      signedIn: await this.#store.run(() => this.#sessions.countDocuments(signedIn)),
      users: users.map(({ _id, sessions }) => ({ userid: String(_id), sessions: Number(sessions) })),
    };
  }

  /** MongoDB does it by itself, by the index on `expires`. */
  async purge(): Promise<number> {
    return 0;
  }

  async ping(): Promise<void> {
    await this.#store.run(() => this.#store.database.command({ ping: 1 }));
  }

  async close(): Promise<void> {
    await this.#store.close();
  }
}

class MissingIndex extends Error {
  override readonly name = "MissingIndex";
}
