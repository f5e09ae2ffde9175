// A store that fails or hangs, a hook that throws, an error that a handler has dealt with.
// Add a fault that is found; stores that really fail are in test/faults.
import { describe, expect, test } from "vitest";
import { StoreUnavailable } from "../../runtime/src/session/contract.ts";
import { Sessions } from "../../runtime/src/session/sessions.ts";
import { waitFor } from "../drivers/waiting.ts";
import { defaults } from "./defaults.ts";
import { memoryApp } from "./memory.ts";
import { Visitor, write } from "./visitor.ts";

describe("events and faults", () => {
  test("S19: every event is emitted, none holds a secret, and a hook that throws breaks nothing", async () => {
    const target = await memoryApp();
    const visitor = new Visitor(target);
    const secrets: string[] = [];
    const remember = () =>
      secrets.push(
        Buffer.from(visitor.token ?? "", "base64url")
          .subarray(16)
          .toString("base64url")
          .slice(1, -1),
      );
    await visitor.visit(write("here", 1));
    remember();
    await visitor.visit((session) => session.signIn("ann"));
    remember();
    await visitor.visit((session) => session.destroy());
    expect(target.events.map(({ type }) => type)).toEqual(["created", "signedIn", "ended"]);
    const told = JSON.stringify(target.events);
    for (const secret of secrets) expect(told).not.toContain(secret);
  });

  test("F1: counting that takes too long doesn't mean that the store is down", async () => {
    const target = await memoryApp({ storeTimeout: 50 });
    target.driver.stats = () => new Promise(() => {});
    await expect(target.sessions.stats()).rejects.toThrow(StoreUnavailable);
    expect(target.events).toEqual([]);
  });

  test("F1: a store that hangs is 503 within storeTimeout, reported once; when it responds again that is reported too", async () => {
    const target = await memoryApp({ storeTimeout: 50 });
    const visitor = new Visitor(target);
    await visitor.visit(write("here", 1));
    const { read } = target.driver;
    target.driver.read = () => new Promise(() => {});
    for (let count = 0; count < 2; count++) {
      const { error } = await visitor.visit(() => {});
      expect(error).toBeInstanceOf(StoreUnavailable);
      expect(error).toMatchObject({ status: 503 });
    }
    expect((await new Visitor(target).visit(() => "served")).result).toBe("served");
    target.driver.read = read;
    expect((await visitor.visit((session) => session.exists)).result).toBe(true);
    const told = target.events.map(({ type }) => type).filter((type) => type.startsWith("store"));
    expect(told).toEqual(["storeDown", "storeUp"]);
  });

  test("F1: updates that wait in line for a store that hangs don't wait one after the other", async () => {
    const target = await memoryApp({ storeTimeout: 200 });
    const visitor = new Visitor(target);
    await visitor.visit(write("here", 1));
    const gate = Promise.withResolvers<void>();
    let inside = 0;
    target.driver.change = () => new Promise(() => {});
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        new Visitor(target, visitor.token).visit(async (session) => {
          if (++inside === 20) gate.resolve();
          await gate.promise;
          await session.update((data) => void Object.assign(data, { visits: 1 }));
        }),
      ),
    );
    const downs = answers.filter(({ error }) => error instanceof StoreUnavailable);
    expect(downs).toHaveLength(20);
    expect(downs.filter(({ error }) => String(error).includes("did not respond"))).toHaveLength(1);
  });

  test("F3: ready waits for a store that comes late, with a message for every try, and gives up in time", async () => {
    const target = await memoryApp();
    const lines: string[] = [];
    let tries = 0;
    target.driver.setup = async () => {
      if (++tries < 3) throw new StoreUnavailable("PostgreSQL at db:5432: connection refused");
    };
    await target.sessions.ready("auto", 10, (line) => lines.push(line));
    expect(lines).toEqual(Array(2).fill("PostgreSQL at db:5432: connection refused. Trying again …"));
    target.driver.setup = async () => {
      throw new StoreUnavailable("still down");
    };
    await expect(target.sessions.ready("auto", 0, () => {})).rejects.toThrow("still down");
  });
});

test("S19: a hook that throws, or rejects, breaks neither the request nor the process", async () => {
  const target = await memoryApp();
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on("warning", note);
  const hooks = [
    () => {
      throw new Error("thrown");
    },
    async () => {
      throw new Error("rejected");
    },
  ];
  for (const onEvent of hooks) {
    const sessions = new Sessions({ driver: target.driver, settings: defaults, onEvent });
    const visitor = new Visitor({ ...target, sessions });
    expect((await visitor.visit(write("here", 1))).error).toBeUndefined();
    expect((await visitor.visit((session) => session.exists)).result).toBe(true);
  }
  await waitFor(() => warnings.length === 2);
  process.off("warning", note);
  expect(warnings.map(({ message }) => message)).toEqual(["thrown", "rejected"]);
});

describe("errors that a handler has dealt with", () => {
  test("S12: what is caught and responded to at once is not held against the response", async () => {
    const target = await memoryApp();
    const visitor = new Visitor(target);
    await visitor.visit(write("here", 1));
    const requestSession = await target.sessions.begin(visitor.request());
    const headers = { get: () => undefined, set() {}, remove() {}, appendCookie() {} };
    let saving: Promise<void> | undefined | "not asked" = "not asked";
    await requestSession.session
      .update(() => {
        throw new Error("sold out");
      })
      // As a handler that responds within its catch: not one turn of the event loop lies between.
      .catch(() => {
        saving = requestSession.complete(200, headers);
      });
    expect(saving).toBeUndefined();
  });

  test("S11 S18: an update that is refused leaves nothing, for a guest as well", async () => {
    const target = await memoryApp({ maxDataBytes: 100 });
    const visitor = new Visitor(target);
    const { error, result } = await visitor.visit((session) =>
      session.update((data) => void Object.assign(data, { big: "x".repeat(200) })).catch(({ status }) => status),
    );
    expect([error, result, visitor.cookie]).toEqual([undefined, 413, undefined]);
  });

  test("S11: a write within an update that nobody waits for is refused, and the process lives", async () => {
    const target = await memoryApp();
    const visitor = new Visitor(target);
    await visitor.visit(write("here", 1));
    const rejections: unknown[] = [];
    const note = (reason: unknown) => rejections.push(reason);
    process.on("unhandledRejection", note);
    const { error } = await visitor.visit((session) =>
      session.update((data) => {
        void session.save();
        Object.assign(data, { more: 1 });
      }),
    );
    await new Promise((resume) => setImmediate(resume));
    process.off("unhandledRejection", note);
    expect([error, rejections]).toEqual([undefined, []]);
  });
});
