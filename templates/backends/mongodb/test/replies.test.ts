// What mongod's replies mean to the driver, said to it by a server that has its words.
// Change it when a reply deserves another reaction.

import { once } from "node:events";
import { connect, createServer } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { StoreUnavailable } from "../../../../runtime/src/session/contract.ts";
import { failure } from "../../../../test/drivers/broken.ts";
import { newRow, START } from "../../../../test/drivers/rows.ts";
import type { Document } from "../../../../test/servers/mongodb/wire.ts";
import { indexes } from "../files/schema.ts";
import { asStoreError } from "../files/src/store/errors.ts";
import { expectRefusal, LOGIN, listenOn, mongodThat, open, read, TIMEOUT } from "./support.ts";

describe("mongodb replies", () => {
  test("F3: a wrong password", async () => {
    const wrong = { ok: 0, errmsg: "Authentication failed.", code: 18, codeName: "AuthenticationFailed" };
    const port = await mongodThat((command) => ("saslStart" in command ? wrong : undefined));
    await expectRefusal(
      `mongodb://${LOGIN}@127.0.0.1:${port}/d`,
      /^MONGODB_URL: .* refuses the user or the password\.$/,
    );
  });

  test("P6: a lacking permission is no outage, and named", async () => {
    const denied = { ok: 0, errmsg: "not authorized on d to execute command", code: 13, codeName: "Unauthorized" };
    const driver = open(read(`mongodb://127.0.0.1:${await mongodThat(() => denied)}/d`));
    for (const call of ["check", "setup", "endAll", "stats"] as const) {
      const error = await failure(driver[call](START));
      expect(error).not.toBeInstanceOf(StoreUnavailable);
      expect(error.message).toMatch(/^MONGODB_URL: its user lacks a permission \(not authorized[^\n]*\)\.$/);
    }
  });

  test.each([
    [10107, "NotWritablePrimary"],
    [91, "ShutdownInProgress"],
    [11602, "InterruptedDueToReplStateChange"],
  ])("F1: a server that says %i %s is unavailable", async (code, codeName) => {
    const driver = open(
      read(`mongodb://127.0.0.1:${await mongodThat(() => ({ ok: 0, errmsg: codeName, code, codeName }))}/d`),
    );
    for (const work of [driver.create(newRow()), driver.read("x", { now: START })]) {
      expect(await failure(work)).toBeInstanceOf(StoreUnavailable);
    }
  });

  test("F2: a write that the majority has not confirmed is no success", async () => {
    const writeConcernError = {
      code: 64,
      codeName: "WriteConcernTimeout",
      errmsg: "waiting for replication timed out",
    };
    const driver = open(read(`mongodb://127.0.0.1:${await mongodThat(() => ({ ok: 1, n: 1, writeConcernError }))}/d`));
    for (const work of [driver.create(newRow()), driver.end("x"), driver.change("x", { now: START })]) {
      expect(await failure(work)).toBeInstanceOf(StoreUnavailable);
    }
  });

  test("F2: writes wait for the majority, unless the URL says otherwise", async () => {
    const seen: Document[] = [];
    const port = await mongodThat((command) => void seen.push(command));
    await open(read(`mongodb://127.0.0.1:${port}/d`)).end("x");
    await open(read(`mongodb://127.0.0.1:${port}/d?w=1`)).end("x");
    const writes = seen.filter((command) => "delete" in command);
    expect(writes.map((command) => String(command.writeConcern?.w ?? "1"))).toEqual(["majority", "1"]);
  });

  test("S14: reads go to the primary, whatever the URL says: a secondary may not know yet who has signed out", async () => {
    const asked: string[] = [];
    const hosts: string[] = [];
    const join = async (role: string) => {
      const set = { setName: "rs0", setVersion: 1, hosts };
      const secondary = { ismaster: false, isWritablePrimary: false, secondary: true };
      const note = (command: Document) => void ("find" in command && asked.push(role));
      hosts.push(`127.0.0.1:${await mongodThat(note, () => ({ ...set, ...(role === "secondary" && secondary) }))}`);
    };
    await join("primary");
    await join("secondary");
    const driver = open(read(`mongodb://${hosts}/d?replicaSet=rs0&readPreference=secondary`));
    for (let round = 0; round < 3; round++) await failure(driver.read("x", { now: START }));
    expect(asked).toEqual(["primary", "primary", "primary"]);
  });

  /** The indexes of schema.ts are there, and commands named `name` are refused. */
  const without = (name: string, refusal: Document) =>
    mongodThat((command) => {
      if ("listIndexes" in command) return { ok: 1, cursor: { id: 0n, ns: "d.sessions", firstBatch: [...indexes] } };
      if ("find" in command) return { ok: 1, cursor: { id: 0n, ns: "d.sessions", firstBatch: [] } };
      return name in command ? refusal : undefined;
    });

  test.each<[string, string, Document, RegExp]>([
    [
      "refuses an update by a pipeline",
      "update",
      { ok: 1, n: 0, nModified: 0, writeErrors: [{ index: 0, code: 9, errmsg: "The u field must be an object" }] },
      /The u field must be an object/,
    ],
    [
      "doesn't know update by a pipeline as a command",
      "update",
      { ok: 0, code: 14, codeName: "TypeMismatch", errmsg: "BSON field 'update.updates.u' is the wrong type 'array'" },
      /wrong type 'array'/,
    ],
    ["changes nothing and says so", "update", { ok: 1, n: 0, nModified: 0 }, /a change of a session .* gave "gone"/],
    ["deletes nothing", "delete", { ok: 1, n: 0 }, /could not be ended/],
    [
      "allows no more documents",
      "insert",
      { ok: 0, code: 10334, errmsg: "you are over your space quota,\nplease upgrade" },
      /you are over your space quota/,
    ],
  ])("F11: a server that %s stops the start with one line that has its reason", async (_, name, refusal, reason) => {
    const driver = open(read(`mongodb://127.0.0.1:${await without(name, refusal)}/d`));
    for (const call of ["check", "setup"] as const) {
      const error = await failure(driver[call]());
      expect(error).not.toBeInstanceOf(StoreUnavailable);
      expect(error.message).toMatch(/^MONGODB_URL: MongoDB at [^\n]* can't do what sessions need \([^\n]*\)\.$/);
      expect(error.message).toMatch(reason);
    }
  });
});

test("F1: a connection that broke is StoreUnavailable, also where the client hands Node's own error on", async () => {
  const gone = createServer((socket) => void socket.end());
  const socket = connect(await listenOn(gone), "127.0.0.1").resume();
  onTestFinished(() => void socket.destroy());
  await once(socket, "end");
  // What the client meets when the server goes between two of its commands.
  const failed = once(socket, "error");
  socket.write("a command");
  const [error] = (await failed) as [NodeJS.ErrnoException];
  expect(error.code).toBe("EPIPE");
  const settings = read("mongodb://127.0.0.1/test");
  expect(asStoreError(error, settings, TIMEOUT)).toBeInstanceOf(StoreUnavailable);
  const mistake = new TypeError("a mistake of ours");
  expect(asStoreError(mistake, settings, TIMEOUT)).toBe(mistake);
});
