// What drivers promise about a user's sessions: listed and ended over an index, and never another user's.
// Change it when listByUser or endByUser change.

import { expect, test } from "vitest";
import type { SessionInfo, SessionRow } from "../../runtime/src/session/contract.ts";
import type { Subject } from "./conformance.ts";
import {
  comparable,
  createRow,
  createRows,
  endUser,
  existing,
  HOUR,
  infoOf,
  newRow,
  START,
  set,
  stored,
} from "./rows.ts";

const now = START;
const ids = (rows: SessionInfo[]) => rows.map((row) => row.id);

/** Each is another user than each of the others, however alike a collation, a normalisation or a query may find them. */
const STRANGE_USERS = [
  ...[
    "alice",
    "Alice",
    "ALICE",
    "alice ",
    " alice",
    "alice\t",
    "ali\u0000ce",
    "alicé",
    "alice\u0301",
    "äöü",
    "äöü".normalize("NFD"),
    "aou",
  ],
  ...[
    "ss",
    "ß",
    "SS",
    "ﬀ",
    "ff",
    "İ",
    "i",
    "ı",
    "I",
    "😀",
    "😃",
    "👩‍👩‍👧",
    "👩",
    "\u200b",
    "\u00a0",
    "ａ",
    "a",
    "0",
    "00",
    "1e0",
    "1",
    "null",
    "true",
  ],
  ...[
    "*",
    "%",
    "_",
    "?",
    "[a]",
    "a:b",
    "a:b:c",
    "{a}",
    "{}b",
    "a/b",
    "../a",
    "a\\b",
    "a\\\\b",
    "a'b",
    "a''b",
    'a"b',
    "a`b",
    "a\nb",
    "a\r\nb",
    "$a",
    "$$",
  ],
  ...[
    "' OR '1'='1",
    "'; DROP TABLE sessions; --",
    '{"$ne":null}',
    '{"$gt":""}',
    "$where",
    "__proto__",
    "constructor",
    "toString",
    "_id",
    "_design/a",
  ],
  ...[
    "x".repeat(254),
    "x".repeat(255),
    `${"x".repeat(254)}y`,
    "é".repeat(255),
    "é".repeat(254),
    "😀".repeat(127),
    "\u{1f600}a".repeat(80),
  ],
];

export function users(subject: Subject): void {
  test("S15: a user's live sessions, newest first, at most `limit`", async () => {
    const at = (seconds: number) => ({ userid: "lister", created: START - seconds, updated: START - 10, idle: HOUR });
    const [old, middle, fresh] = [
      await createRow(subject.a, at(300)),
      await createRow(subject.b, at(200)),
      await createRow(subject.a, at(100)),
    ];
    await createRow(subject.a, { userid: "lister", created: START - 2 * HOUR, updated: START - 2 * HOUR, idle: HOUR });
    await createRow(subject.a, { userid: null });
    const listed = await subject.b.listByUser("lister", now, 10);
    expect(listed).toEqual([fresh, middle, old].map(infoOf));
    for (const info of listed) expect(Object.keys(info).sort()).toEqual(Object.keys(infoOf(fresh)).sort());
    expect(ids(await subject.a.listByUser("lister", now, 2))).toEqual(ids([fresh, middle]));
    expect(ids(await subject.a.listByUser("lister", now, 1))).toEqual(ids([fresh]));
    expect(await subject.a.listByUser("nobody", now, 10)).toEqual([]);
  });

  test("S13, S15: a session is listed under the user it belongs to now", async () => {
    const row = await createRow(subject.a);
    expect(await subject.a.change(row.id, { now, userid: "mover-1" })).toBe("done");
    expect(ids(await subject.b.listByUser("mover-1", now, 10))).toEqual([row.id]);
    expect(await subject.b.change(row.id, { now, userid: "mover-2" })).toBe("done");
    expect(await subject.a.listByUser("mover-1", now, 10)).toEqual([]);
    expect(ids(await subject.a.listByUser("mover-2", now, 10))).toEqual([row.id]);
    expect(await endUser(subject.a, "mover-1")).toEqual([]);
    expect(await subject.a.change(row.id, { now, userid: null })).toBe("done");
    expect(await subject.b.listByUser("mover-2", now, 10)).toEqual([]);
    expect(await endUser(subject.b, "mover-2")).toEqual([]);
    expect((await existing(subject.a, row.id)).userid).toBeNull();
  });

  test("S15, S24: endByUser ends that user's sessions but the excepted one, and says which", async () => {
    const rows = await Promise.all(Array.from({ length: 5 }, () => createRow(subject.a, { userid: "leaver" })));
    const other = await createRow(subject.a, { userid: "stayer" });
    const guest = await createRow(subject.a);
    const [kept, ...others] = ids(rows) as [string, ...string[]];
    expect((await endUser(subject.b, "leaver", kept)).sort()).toEqual(others.sort());
    expect(ids(await subject.a.listByUser("leaver", now, 10))).toEqual([kept]);
    for (const id of others) {
      expect(await stored(subject.a, id)).toBeUndefined();
      expect(await subject.a.change(id, { now, set: set({ a: 1 }) })).toBe("gone");
    }
    expect(await endUser(subject.a, "leaver", other.id), "an exception that isn't the user's spares nothing").toEqual([
      kept,
    ]);
    expect(await endUser(subject.b, "leaver")).toEqual([]);
    for (const row of [other, guest]) expect(comparable(await stored(subject.b, row.id))).toEqual(comparable(row));
  });

  test("S15, S24: as many sessions as a user may have end, but the excepted one and others'", async () => {
    await subject.empty();
    const rows = Array.from({ length: 1100 }, () => newRow({ userid: "many" }));
    const others = [newRow({ userid: "few" }), newRow()];
    await createRows(subject.a, [...rows, ...others]);
    const [kept, ...ended] = ids(rows);
    expect((await endUser(subject.b, "many", kept)).sort()).toEqual(ended.sort());
    expect(ids(await subject.a.listByUser("many", now, 10))).toEqual([kept]);
    expect((await subject.a.stats(now)).live).toBe(3);
  });

  test("S15, S24: endByUser ends at most `limit` at a time, the excepted one never, and fewer only at the end", async () => {
    const rows = Array.from({ length: 8 }, () => newRow({ userid: "batches" }));
    await createRows(subject.a, rows);
    const [kept, ...others] = ids(rows) as [string, ...string[]];
    const batches = [
      await subject.a.endByUser("batches", 3, kept),
      await subject.b.endByUser("batches", 3, kept),
      await subject.a.endByUser("batches", 3, kept),
      await subject.b.endByUser("batches", 3, kept),
    ];
    expect(batches.map((batch) => batch.length)).toEqual([3, 3, 1, 0]);
    expect(batches.flat().sort()).toEqual(others.sort());
    expect(await subject.b.endByUser("batches", 1)).toEqual([kept]);
  });

  test("S14, S24: changes that race with endByUser bring nothing back", async () => {
    const rows = await Promise.all(Array.from({ length: 12 }, () => createRow(subject.a, { userid: "racer" })));
    const change = (row: SessionRow, index: number) =>
      (index % 2 ? subject.a : subject.b).change(row.id, { now, set: set({ index }), touch: { lifetime: HOUR * 24 } });
    const [ended] = await Promise.all([endUser(subject.b, "racer"), ...rows.map(change)]);
    expect(ended.sort()).toEqual(ids(rows).sort());
    for (const row of rows) expect(await stored(subject.a, row.id)).toBeUndefined();
  });

  test("F6, S15: users that are alike are different users", async () => {
    await subject.empty();
    const refused = subject.a.limits?.text?.pattern;
    const names = STRANGE_USERS.filter((name) => refused?.test(name) !== true);
    const rows = names.map((userid) => newRow({ userid }));
    await Promise.all(rows.map((row) => subject.a.create(row)));
    for (const row of rows) {
      const listed = await subject.b.listByUser(row.userid as string, now, 10);
      expect(listed, row.userid as string).toEqual([infoOf(row)]);
    }
    for (const [index, row] of rows.entries()) {
      if (index % 2) continue;
      expect(await endUser(subject.a, row.userid as string), row.userid as string).toEqual([row.id]);
    }
    for (const [index, row] of rows.entries()) {
      expect(comparable(await stored(subject.b, row.id))).toEqual(index % 2 ? comparable(row) : undefined);
    }
  });
}
