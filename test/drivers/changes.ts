// What drivers promise about create, read, change and end, alone and in parallel.
// Change it when SessionChange gets another field.

import { expect, test } from "vitest";
import { type ChangeResult, patchData, StoreUnavailable, UNLIMITED } from "../../runtime/src/session/contract.ts";
import type { Subject } from "./conformance.ts";
import {
  canonical,
  comparable,
  createRow,
  existing,
  HOUR,
  newHash,
  newId,
  newRow,
  START,
  set,
  stored,
} from "./rows.ts";

const now = START;

export function changes(subject: Subject): void {
  test("F7: what one instance creates, another reads, every property as it was", async () => {
    const row = newRow({
      userid: "alice",
      created: START - 50,
      updated: START - 10,
      authenticated: START - 30,
      idle: 10_000_000_000,
      ipaddress: "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
      useragent: "Ünïcödé/1.0 (試験; 🙂; \\ ' \" % _)".padEnd(512, "é"),
      data: '{"theme":"dark","cart":[{"sku":"a","quantity":2}],"nothing":null}',
      version: 7,
    });
    await subject.a.create(row);
    const read = await existing(subject.b, row.id);
    expect(comparable(read)).toEqual(comparable(row));
    expect(read.version).toBe(7);
    expect(read.secretHash).toBeInstanceOf(Uint8Array);
  });

  test("an id that no session has is absent, whatever it looks like", async () => {
    const bystander = await createRow(subject.a);
    const strange = [
      newId(),
      "",
      " ",
      "*",
      ".",
      "..",
      "../x",
      "a/b?c#d",
      "_all_docs",
      "_design/sessions",
      "' OR '1'='1",
      '{"$gt":""}',
    ];
    for (const id of [
      ...strange,
      "%",
      "__proto__",
      "constructor",
      "x".repeat(300),
      `${bystander.id} `,
      bystander.id.slice(1),
    ]) {
      expect(await stored(subject.a, id), id).toBeUndefined();
      expect(await subject.a.change(id, { now, set: set({ k: 1 }) }), id).toBe("gone");
      expect(await subject.a.end(id), id).toBe(false);
    }
    expect(comparable(await stored(subject.b, bystander.id))).toEqual(comparable(bystander));
  });

  test("F1: create never overwrites; an id that exists is an error of its own, which names the id", async () => {
    const row = await createRow(subject.a, { data: '{"mine":1}' });
    const second = subject.b.create(newRow({ id: row.id, userid: "mallory", data: '{"theirs":1}' }));
    const error = await second.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(StoreUnavailable);
    expect((error as Error).message).toContain(row.id);
    expect(comparable(await stored(subject.b, row.id))).toEqual(comparable(row));
    expect(await subject.a.listByUser("mallory", now, 10)).toEqual([]);
  });

  test("F7: of several that create one id at once, one succeeds", async () => {
    const id = newId();
    const rows = Array.from({ length: 6 }, (_, number) => newRow({ id, data: `{"number":${number}}` }));
    const results = await Promise.allSettled(rows.map((row, index) => (index % 2 ? subject.a : subject.b).create(row)));
    const created = rows.filter((_, index) => results[index]?.status === "fulfilled");
    expect(created).toHaveLength(1);
    expect(comparable(await stored(subject.a, id))).toEqual(comparable(created[0]));
  });

  test("S10: a change writes what it names and nothing else, and the version grows", async () => {
    const row = await createRow(subject.a, { data: '{"keep":{"deep":[1]},"replace":{"old":1},"drop":1}' });
    const data = { set: set({ replace: { new: 2 }, added: null }), remove: ["drop", "never there"] };
    expect(await subject.a.change(row.id, { now, ...data })).toBe("done");
    const read = await existing(subject.b, row.id);
    expect(comparable(read)).toEqual(comparable({ ...row, data: patchData(row.data, data) }));
    expect(canonical(read.data)).toBe('{"added":null,"keep":{"deep":[1]},"replace":{"new":2}}');
    expect(read.version).toBeGreaterThan(row.version);

    expect(await subject.b.change(row.id, { now, remove: ["keep"] })).toBe("done");
    const again = await existing(subject.a, row.id);
    expect(canonical(again.data)).toBe('{"added":null,"replace":{"new":2}}');
    expect(again.version).toBeGreaterThan(read.version);
  });

  test("S10: the whole data of a request takes the place of nothing that others have written since", async () => {
    const row = await createRow(subject.a, { data: '{"mine":1,"theirs":1,"__proto__":1}' });
    const change = (mine: number, version: number, data: string) =>
      subject.a.change(row.id, { now, set: set({ mine }), remove: ["__proto__"], whole: { version, data } });
    expect(await change(2, row.version, '{"mine":2,"theirs":1}')).toBe("done");
    const read = await existing(subject.b, row.id);
    expect(canonical(read.data)).toBe('{"mine":2,"theirs":1}');

    expect(await subject.b.change(row.id, { now, set: set({ theirs: 2 }) })).toBe("done");
    expect(await change(3, read.version, '{"mine":3,"theirs":1}')).toBe("done");
    expect(canonical((await existing(subject.b, row.id)).data)).toBe('{"mine":3,"theirs":2}');
  });

  test("S13: userid, secretHash and authenticated change alone or together, data stays", async () => {
    const row = await createRow(subject.a, { data: '{"cart":[1]}' });
    const secretHash = newHash();
    expect(await subject.a.change(row.id, { now, userid: "carol", secretHash, authenticated: now })).toBe("done");
    const signedIn = { ...row, userid: "carol", secretHash, authenticated: now };
    expect(comparable(await stored(subject.b, row.id))).toEqual(comparable(signedIn));
    const change = { now, userid: null, set: set({ bye: true }) };
    expect(await subject.b.change(row.id, change)).toBe("done");
    expect(comparable(await stored(subject.a, row.id))).toEqual(
      comparable({ ...signedIn, userid: null, data: '{"cart":[1],"bye":true}' }),
    );
  });

  test("a change of nothing tells whether the session lives", async () => {
    const row = await createRow(subject.a);
    expect(await subject.b.change(row.id, { now })).toBe("done");
    expect(comparable(await stored(subject.b, row.id))).toEqual(comparable(row));
    await subject.a.end(row.id);
    expect(await subject.b.change(row.id, { now })).toBe("gone");
  });

  test("S11, S13: ifVersion and ifSecretHash that don't hold are a conflict, and nothing is written", async () => {
    const row = await createRow(subject.a, { data: '{"n":1}' });
    const wrong = newHash();
    const write = { now, set: set({ n: 2 }), userid: "dave", touch: { lifetime: UNLIMITED } };
    expect(await subject.a.change(row.id, { ...write, ifVersion: row.version + 1 })).toBe("conflict");
    expect(await subject.b.change(row.id, { ...write, ifSecretHash: wrong })).toBe("conflict");
    expect(await subject.a.change(row.id, { ...write, ifVersion: row.version, ifSecretHash: wrong })).toBe("conflict");
    expect(await existing(subject.b, row.id)).toEqual(await existing(subject.a, row.id));
    expect(comparable(await stored(subject.b, row.id))).toEqual(comparable(row));
    expect(await subject.b.listByUser("dave", now, 10)).toEqual([]);

    const both = { ifVersion: row.version, ifSecretHash: row.secretHash };
    expect(await subject.b.change(row.id, { now, set: set({ n: 3 }), ...both })).toBe("done");
    expect(await subject.a.change(row.id, { now, set: set({ n: 4 }), ...both })).toBe("conflict");
    expect(canonical((await existing(subject.a, row.id)).data)).toBe('{"n":3}');
    await subject.a.end(row.id);
    expect(await subject.b.change(row.id, { now, set: set({ n: 5 }), ifVersion: 99 })).toBe("gone");
    expect(await subject.b.change(row.id, { now, set: set({ n: 5 }), ifSecretHash: wrong })).toBe("gone");
  });

  test("S10, F7: parallel changes of different keys all survive", async () => {
    const row = await createRow(subject.a, { data: '{"there":0,"gone":0}' });
    const keys = Array.from({ length: 60 }, (_, number) => `key${number}`);
    const writes = keys.map((key, index) => {
      const driver = index % 2 ? subject.a : subject.b;
      return driver.change(row.id, { now, set: set({ [key]: index }), ...(index === 7 && { remove: ["gone"] }) });
    });
    expect(new Set(await Promise.all(writes))).toEqual(new Set<ChangeResult>(["done"]));
    const data = JSON.parse((await existing(subject.a, row.id)).data) as Record<string, number>;
    expect(data).toEqual({ there: 0, ...Object.fromEntries(keys.map((key, index) => [key, index])) });
  });

  test("S11, F7: parallel increments over ifVersion add up", async () => {
    const row = await createRow(subject.a, { data: '{"n":0}' });
    const increment = async (worker: number) => {
      const driver = worker % 2 ? subject.a : subject.b;
      for (let done = 0; done < 5; ) {
        const { data, version } = await existing(driver, row.id);
        const { n } = JSON.parse(data) as { n: number };
        if ((await driver.change(row.id, { now, set: set({ n: n + 1 }), ifVersion: version })) === "done") done++;
      }
    };
    await Promise.all(Array.from({ length: 10 }, (_, worker) => increment(worker)));
    expect(canonical((await existing(subject.b, row.id)).data)).toBe('{"n":50}');
  });

  test("S13: of parallel renewals from one secret, one is done", async () => {
    const row = await createRow(subject.a);
    const hashes = Array.from({ length: 8 }, () => newHash());
    const renew = (secretHash: Uint8Array, index: number) =>
      (index % 2 ? subject.a : subject.b).change(row.id, { now, secretHash, ifSecretHash: row.secretHash });
    const results = await Promise.all(hashes.map(renew));
    expect(results.filter((result) => result === "done")).toHaveLength(1);
    expect(results.filter((result) => result === "conflict")).toHaveLength(7);
    const winner = hashes[results.indexOf("done")];
    expect(Buffer.from((await existing(subject.a, row.id)).secretHash)).toEqual(Buffer.from(winner ?? []));
  });

  test("S14, F7: an ended session is gone for every instance at once, and ends once", async () => {
    const row = await createRow(subject.a, { userid: "erin" });
    const ends = await Promise.all([subject.a.end(row.id), subject.b.end(row.id), subject.a.end(row.id)]);
    expect(ends.filter(Boolean)).toEqual([true]);
    expect(await subject.b.end(row.id)).toBe(false);
    expect(await stored(subject.b, row.id)).toBeUndefined();
    const touch = { lifetime: UNLIMITED };
    expect(await subject.b.change(row.id, { now, set: set({ a: 1 }), userid: "erin", touch })).toBe("gone");
    expect(
      await subject.a.read(row.id, { now: now + 600, touch: { ...touch, every: 60, secretHash: row.secretHash } }),
    ).toBeUndefined();
    expect(await stored(subject.a, row.id)).toBeUndefined();
    expect(await subject.a.listByUser("erin", now, 10)).toEqual([]);
  });

  test("S14, F7: changes and touches that race with the end never bring a session back", async () => {
    const touch = { lifetime: UNLIMITED };
    const race = async (round: number) => {
      const row = await createRow(subject.a, { userid: "frank", data: '{"n":0}' });
      const [first, second] = round % 2 ? [subject.a, subject.b] : [subject.b, subject.a];
      const racing = [
        first.change(row.id, { now, set: set({ n: 1 }), touch }),
        second.change(row.id, { now: now + HOUR, userid: "frank", idle: HOUR * 2, touch }),
        second.read(row.id, { now: now + 900, touch: { ...touch, every: 60, secretHash: row.secretHash } }),
      ];
      const ended = first.end(row.id);
      racing.push(second.change(row.id, { now, remove: ["n"], secretHash: newHash() }));
      expect(await ended).toBe(true);
      await Promise.all(racing);
      expect(await stored(second, row.id)).toBeUndefined();
      expect(await first.change(row.id, { now, set: set({ n: 2 }) })).toBe("gone");
    };
    for (let round = 0; round < 20; round += 5) await Promise.all([0, 1, 2, 3, 4].map((step) => race(round + step)));
    expect(await subject.b.listByUser("frank", now, 100)).toEqual([]);
  });
}
