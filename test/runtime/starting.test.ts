// When a session starts, and what of its token is stored: on every backend.
// Add a case for a new way to start a session, or to present a token.
import { describe, expect, test } from "vitest";
import { parseToken } from "../../runtime/src/session/token.ts";
import { backends, started, stored } from "./backends.ts";
import { Visitor, write } from "./visitor.ts";

describe.each(backends)("%s", (backend) => {
  test("S1: what is stored is the id and a hash: the secret is in no column", async ({ skip }) => {
    const { app, visitor } = await started(backend, skip);
    const token = parseToken(visitor.token ?? "");
    const row = await app.driver.read(token?.id ?? "", { now: app.now });
    expect(Buffer.from(row?.secretHash ?? [])).toEqual(token?.secretHash);
    const secret = Buffer.from(visitor.token ?? "", "base64url").subarray(16);
    for (const [column, value] of Object.entries(row ?? {})) expect(holds(value, secret), column).toBe(false);
  });

  test("S3: unknown, wrong-secret and ended tokens are no session, are not adopted, and clear no cookie", async ({
    skip,
  }) => {
    const { app, visitor } = await started(backend, skip);
    const known = Buffer.from(visitor.token ?? "", "base64url");
    const wrong = Buffer.concat([known.subarray(0, 16), Buffer.alloc(32, 7)]).toString("base64url");
    const unknown = Buffer.alloc(48, 9).toString("base64url");
    for (const token of [wrong, unknown]) {
      const stranger = new Visitor(app, token);
      const look = await stranger.visit((session) => session.exists);
      expect(look.result).toBe(false);
      expect(look.setCookie).toEqual([]);
      await stranger.visit(write("mine", true));
      expect(stranger.token).not.toBe(token);
      expect(parseToken(stranger.token ?? "")?.id).not.toBe(parseToken(token)?.id);
    }
    expect(await stored(visitor)).toEqual({ here: 1 });
  });

  test("S5 S28: no row and no cookie until a handler writes", async ({ skip }) => {
    const { app } = await started(backend, skip);
    const guest = new Visitor(app);
    const answer = await guest.visit((session) => [session.exists, session.id, session.token, session.data]);
    expect(answer.result).toEqual([false, undefined, "", {}]);
    expect(answer.setCookie).toEqual([]);
    expect((await app.driver.stats(app.now)).live).toBe(1);
  });

  test('S5: with start "visit" every visitor has a session, paths in `skip` have none', async ({ skip }) => {
    const { app } = await started(backend, skip, { start: "visit" });
    const guest = new Visitor(app);
    expect((await guest.visit(() => {}, { url: "/health" })).setCookie).toEqual([]);
    expect((await guest.visit(() => {}, { url: "/health/live?x" })).setCookie).toEqual([]);
    expect((await guest.visit(() => {}, { url: "/healthy" })).setCookie).toHaveLength(1);
  });
});

/** Whether a stored value holds the bytes, as they are or in any of the usual encodings. */
function holds(value: unknown, secret: Buffer): boolean {
  const bytes = value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(JSON.stringify(value));
  const texts = ["base64url", "base64", "hex", "latin1"] as const;
  // The outermost characters of base64 depend on what stands around.
  const encoded = texts.map((encoding) => Buffer.from(secret.toString(encoding).slice(2, -2)));
  return [secret, ...encoded].some((form) => bytes.includes(form));
}
