// Tokens: how they are made and parsed, and that nothing else reaches the store.
// Uses the memory store: none of this may depend on a backend.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { equalHashes, newToken, parseToken, renewedToken } from "../../runtime/src/session/token.ts";
import { memoryApp } from "./memory.ts";
import { type App, Visitor, write } from "./visitor.ts";

describe("tokens", () => {
  test("S1: 64 URL-safe characters, 16 bytes of id and 32 of secret, never the same twice", () => {
    const tokens = Array.from({ length: 1000 }, newToken);
    for (const { text, id } of tokens) {
      expect(text).toMatch(/^[\w-]{64}$/);
      expect(Buffer.from(text, "base64url")).toHaveLength(48);
      expect(id).toBe(Buffer.from(text, "base64url").subarray(0, 16).toString("base64url"));
    }
    expect(new Set(tokens.map(({ id }) => id)).size).toBe(1000);
    expect(new Set(tokens.map(({ secretHash }) => secretHash.toString("hex"))).size).toBe(1000);
  });

  test("S1: a token proves its session, and no other one's; a renewed one has the same id", () => {
    const token = newToken();
    expect(equalHashes((parseToken(token.text) ?? newToken()).secretHash, token.secretHash)).toBe(true);
    expect(equalHashes(newToken().secretHash, token.secretHash)).toBe(false);
    const renewed = renewedToken(token.id);
    expect(renewed.id).toBe(token.id);
    expect(equalHashes(token.secretHash, renewed.secretHash)).toBe(false);
  });

  test("S3: only what is well-formed is parsed at all", () => {
    const token = newToken().text;
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.string({ maxLength: 70 }), mutated(token)), (text) => {
        expect(parseToken(text) !== undefined).toBe(/^[A-Za-z0-9_-]{64}$/.test(text));
      }),
      { numRuns: 10_000 },
    );
    for (const text of [`${token}=`, ` ${token}`, `${token}\n`, token.slice(1), "", token.replace(/./, "+")]) {
      expect(parseToken(text)).toBeUndefined();
    }
  });

  test("S3, F6: no string as cookie or Bearer header reaches the store unless it is well-formed, and none is an error", async () => {
    const { sessions, driver, ...rest } = await memoryApp();
    let reads = 0;
    const { read } = driver;
    driver.read = (...args) => {
      reads++;
      return read.apply(driver, args);
    };
    const target: App = { sessions, driver, ...rest };
    const token = newToken().text;
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.string({ maxLength: 70 }), mutated(token));
    await fc.assert(
      fc.asyncProperty(text, fc.constantFrom("cookie", "authorization"), async (value, header) => {
        const before = reads;
        const visitor = new Visitor(target);
        const line = header === "cookie" ? `a=1; session=${value}; b=2` : `Bearer ${value}`;
        const answer = await visitor.visit((session) => session.exists, { headers: { [header]: line } });
        expect(answer).toMatchObject({ result: false, error: undefined, setCookie: [] });
        if (reads > before) expect(value.trim().replaceAll('"', "")).toContain(/[\w-]{64}/.exec(line)?.[0]);
      }),
      { numRuns: 10_000 },
    );
  });
});

describe("S3: several cookies of one name", () => {
  test("S3: the first that is a session counts, behind malformed, unknown and old ones", async () => {
    const target = await memoryApp();
    const visitor = new Visitor(target);
    await visitor.visit(write("here", 1));
    const old = visitor.token;
    await visitor.visit((session) => session.renew());
    const current = visitor.cookie as string;
    const unknown = `session=${"A".repeat(64)}`;
    for (const others of [["session=garbage"], [unknown], [`session=${old}`], ["session=", "x=1", unknown]]) {
      const cookie = [...others, current, "y=2"].join("; ");
      const { result, error } = await new Visitor(target).visit((session) => session.exists, { headers: { cookie } });
      expect([result, error], cookie).toEqual([true, undefined]);
    }
  });

  test("F6: of a thousand, three are looked for", async () => {
    const target = await memoryApp();
    let reads = 0;
    const { read } = target.driver;
    target.driver.read = (...args) => {
      reads++;
      return read.apply(target.driver, args);
    };
    const cookie = Array(1000)
      .fill(`session=${"A".repeat(64)}`)
      .join("; ");
    expect((await new Visitor(target).visit((session) => session.exists, { headers: { cookie } })).result).toBe(false);
    expect(reads).toBe(3);
  });
});

function mutated(token: string): fc.Arbitrary<string> {
  return fc.tuple(fc.nat(63), fc.string({ unit: "binary", minLength: 1, maxLength: 2 })).map(([at, other]) => {
    return token.slice(0, at) + other + token.slice(at + 1);
  });
}
