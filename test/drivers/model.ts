// Random histories against a model: whatever happens, in whatever order, at whatever time, every driver says the same.
// Change it together with Model in this file when the contract gets another operation.

import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type ChangeResult,
  expiry,
  joinData,
  type SessionChange,
  type SessionRow,
  touchInterval,
} from "../../runtime/src/session/contract.ts";
import { entries } from "./arbitraries.ts";
import type { Subject } from "./conformance.ts";
import { comparable, DAY, endUser, HOUR, newHash, newId, newRow, START } from "./rows.ts";

const RUNS = Number(process.env.PROPERTY_RUNS ?? 60);
const LIFETIME = 2 * DAY;
const EVERY = 60;
const SESSIONS = [0, 1, 2];
const HASHES = [0, 1].map(() => newHash()) as [Uint8Array, Uint8Array];

/** The contract in its simplest form: the live sessions, as rows with their data as entries. */
class Model {
  readonly rows = new Map<string, Omit<SessionRow, "data" | "version"> & { entries: Map<string, string> }>();

  live(id: string, now: number) {
    const row = this.rows.get(id);
    return row && row.expires >= now ? row : undefined;
  }

  touch(id: string, now: number, secretHash: Uint8Array, applied: boolean): void {
    const row = this.live(id, now);
    if (!applied || !row || !Buffer.from(row.secretHash).equals(secretHash)) return;
    if (now - row.updated >= touchInterval(EVERY, row.idle)) this.move(row, now);
  }

  change(id: string, change: Omit<SessionChange, "ifVersion">): ChangeResult {
    const row = this.live(id, change.now);
    if (!row) return "gone";
    if (change.ifSecretHash && !Buffer.from(row.secretHash).equals(change.ifSecretHash)) return "conflict";
    for (const key of change.remove ?? []) row.entries.delete(key);
    for (const [key, text] of change.set ?? []) row.entries.set(key, text);
    if (change.userid !== undefined) row.userid = change.userid;
    row.secretHash = change.secretHash ?? row.secretHash;
    row.authenticated = change.authenticated ?? row.authenticated;
    row.idle = change.idle ?? row.idle;
    if (change.touch) this.move(row, change.now);
    return "done";
  }

  endByUser(userid: string, except: string | undefined): string[] {
    const ended = [...this.rows.values()]
      .filter((row) => row.userid === userid && row.id !== except)
      .map((row) => row.id);
    for (const id of ended) this.rows.delete(id);
    return ended;
  }

  listByUser(userid: string, now: number): string[] {
    return [...this.rows.values()].filter((row) => row.userid === userid && row.expires >= now).map((row) => row.id);
  }

  row(id: string, now: number): SessionRow | undefined {
    const row = this.live(id, now);
    if (!row) return undefined;
    const { entries: pairs, ...rest } = row;
    return { ...rest, data: joinData(pairs), version: 1 };
  }

  private move(row: { updated: number; idle: number; created: number; expires: number }, now: number): void {
    row.updated = Math.max(row.updated, now);
    row.expires = expiry(row.updated, row.idle, row.created, LIFETIME);
  }
}

export function model(subject: Subject): void {
  const id = fc.constantFrom(...SESSIONS);
  const user = fc.constantFrom(0, 1, null);
  const hash = fc.constantFrom(0, 1) as fc.Arbitrary<0 | 1>;
  const idle = fc.constantFrom(600, HOUR, DAY, 3 * DAY);
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

  function operations() {
    const pairs = entries(subject.a.limits, 3);
    const operation = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("create" as const), id, user, hash, idle, pairs }) },
      {
        weight: 8,
        arbitrary: fc.record({
          ...{ kind: fc.constant("change" as const), id, pairs, remove: fc.array(fc.nat(5), { maxLength: 2 }) },
          ...{ user: maybe(user), hash: maybe(hash), ifHash: maybe(hash), idle: maybe(idle), touch: fc.boolean() },
        }),
      },
      { weight: 5, arbitrary: fc.record({ kind: fc.constant("read" as const), id, hash: maybe(hash) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("end" as const), id }) },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant("endByUser" as const),
          user: fc.constantFrom(0, 1),
          except: maybe(id),
          limit: fc.constantFrom(1, 2, 500),
        }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("listByUser" as const), user: fc.constantFrom(0, 1) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("purge" as const) }) },
    );
    const step = fc.constantFrom(0, 0, 1, 59, 60, 600, 601, HOUR, HOUR + 1, DAY - 1);
    return fc.array(fc.tuple(operation, step, fc.boolean()), { minLength: 1, maxLength: 25 });
  }

  test("S6 S7 S8 S10 S13 S14 S15: any history gives what the model gives", async () => {
    const property = fc.asyncProperty(operations(), async (history) => {
      const expected = new Model();
      const ids = SESSIONS.map(() => newId());
      const users = ids.slice(1);
      let now = START;
      for (const [operation, seconds, other] of history) {
        now += seconds;
        const driver = other ? subject.b : subject.a;
        const target = "id" in operation ? (ids[operation.id] as string) : "";
        const userid =
          "user" in operation && typeof operation.user === "number" ? (users[operation.user] as string) : null;
        switch (operation.kind) {
          case "create": {
            if (expected.rows.has(target)) break;
            // This test moves its own clock only: by the real one, the store has no reason yet to remove what has expired.
            if (subject.capabilities.nativeExpiry) await driver.end(target);
            const data = joinData(operation.pairs);
            const row = newRow({ id: target, userid, created: now, idle: operation.idle, lifetime: LIFETIME, data });
            row.secretHash = HASHES[operation.hash];
            await driver.create(row);
            expected.rows.set(target, { ...row, entries: new Map(operation.pairs) });
            break;
          }
          case "change": {
            const present = [...(expected.rows.get(target)?.entries.keys() ?? [])];
            const remove = operation.remove.map((index) => present[index] ?? "absent");
            const change = {
              ...{ now, remove, set: new Map(operation.pairs.filter(([key]) => !remove.includes(key))) },
              ...(operation.user !== undefined && { userid, authenticated: now }),
              ...(operation.hash !== undefined && { secretHash: HASHES[operation.hash] }),
              ...(operation.ifHash !== undefined && { ifSecretHash: HASHES[operation.ifHash] }),
              ...(operation.idle !== undefined && { idle: operation.idle }),
              ...((operation.touch || operation.idle !== undefined) && { touch: { lifetime: LIFETIME } }),
            };
            expect(await driver.change(target, change)).toBe(expected.change(target, change));
            break;
          }
          case "read": {
            const secretHash = operation.hash === undefined ? undefined : HASHES[operation.hash];
            const touch = secretHash && { lifetime: LIFETIME, every: EVERY, secretHash };
            const read = await driver.read(target, { now, ...(touch && { touch }) });
            if (secretHash) expected.touch(target, now, secretHash, subject.capabilities.touchesOnRead);
            const visible = read && read.expires >= now ? read : undefined;
            expect(comparable(visible)).toEqual(comparable(expected.row(target, now)));
            break;
          }
          case "end":
            if (expected.live(target, now)) expect(await driver.end(target)).toBe(true);
            else await driver.end(target);
            expected.rows.delete(target);
            break;
          case "endByUser": {
            const except = operation.except === undefined ? undefined : (ids[operation.except] as string);
            const listed = expected.listByUser(userid ?? "", now).filter((one) => one !== except);
            const ended = await endUser(driver, userid ?? "", except, operation.limit);
            expect(ended).toEqual(expect.arrayContaining(listed));
            expect(expected.endByUser(userid ?? "", except)).toEqual(expect.arrayContaining(ended));
            break;
          }
          case "listByUser": {
            const listed = await driver.listByUser(userid ?? "", now, 10);
            expect(listed.map((row) => row.id).sort()).toEqual(expected.listByUser(userid ?? "", now).sort());
            break;
          }
          case "purge":
            while ((await driver.purge(now, 100)) > 0);
            break;
        }
      }
      for (const [index, one] of ids.entries()) {
        const row = await (index % 2 ? subject.a : subject.b).read(one, { now });
        expect(comparable(row && row.expires >= now ? row : undefined)).toEqual(comparable(expected.row(one, now)));
      }
    });
    await fc.assert(property, { numRuns: RUNS });
  }, 120_000);
}
