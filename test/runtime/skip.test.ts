// Paths that have no session.
// Add a case for whatever a handler may do there.
import { describe, expect, test } from "vitest";
import { memoryApp } from "./memory.ts";
import { Visitor, write } from "./visitor.ts";

describe("S5: paths that have no session", () => {
  test("S5: writing there by hand is refused by name, and otherwise is reported; nothing is stored, no cookie set", async () => {
    const target = await memoryApp({ skip: ["/x"] });
    const visitor = new Visitor(target);
    await visitor.visit(write("here", 1));
    const before = visitor.cookie;
    const request = { url: "/x" };
    for (const act of ["save", "renew", "destroy"] as const) {
      expect(String((await visitor.visit((session) => session[act](), request)).error)).toContain("SESSION_SKIP");
    }
    expect(String((await visitor.visit((session) => session.update(() => {}), request)).error)).toContain("skip");
    expect(String((await visitor.visit((session) => session.signIn("ann"), request)).error)).toContain("skip");
    const quiet = await visitor.visit(write("lost", 1), request);
    expect([quiet.error, quiet.setCookie, quiet.headers.size]).toEqual([undefined, [], 0]);
    expect(target.events).toContainEqual({ type: "warning", message: expect.stringContaining("SESSION_SKIP") });
    expect(visitor.cookie).toBe(before);
    expect((await target.driver.stats(target.now)).live).toBe(1);
  });

  test("S17: a Bearer request is exempt from the check of origins there too", async () => {
    const target = await memoryApp({ skip: ["/x"] });
    const client = new Visitor(target);
    client.bearer = (await target.sessions.start(client.request())).token;
    const foreign = { method: "POST", url: "/x", headers: { "sec-fetch-site": "cross-site" } };
    expect((await client.visit(() => "served", foreign)).result).toBe("served");
  });
});
