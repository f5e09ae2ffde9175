// The cookie of an app that is shown in another site's frame, or whose sessions end with the browser, in every framework.
// What the cookie is like without settings is in suite/cookie.ts.
import { describe, expect, onTestFinished, test } from "vitest";
import { packs } from "../../scripts/packs.ts";
import { assemble } from "./assemble.ts";
import { clears, parseSetCookie } from "./client.ts";
import { Project } from "./project.ts";
import { expectStatus, type Target, visitor } from "./suite/visitors.ts";

describe.each(packs("frameworks"))("%s", (framework) => {
  async function started(env: Record<string, string>): Promise<Target> {
    const project = new Project(await assemble({ framework, backend: "memory" }, "cookie-settings"), env);
    await project.start();
    onTestFinished(() => project.stop());
    return { name: framework, url: () => project.url, persistent: false };
  }

  test("S4: cookiePartitioned: the cookie is Partitioned when it is set, renewed and cleared", async () => {
    const target = await started({
      SESSION_COOKIE_PARTITIONED: "true",
      SESSION_COOKIE_SECURE: "true",
      SESSION_COOKIE_SAME_SITE: "none",
    });
    const client = visitor(target);
    const headers = [
      (await client.set("a", 1)).setCookies,
      (await client.post("/login", { json: { userid: "ann", password: "demo" } })).setCookies,
      (await client.post("/logout")).setCookies,
    ].map((setCookies) => {
      expect(setCookies).toHaveLength(1);
      return parseSetCookie(setCookies[0] ?? "");
    });
    for (const { name, attributes } of headers) {
      expect(name).toBe("__Host-session");
      expect([...attributes.keys()]).toEqual(expect.arrayContaining(["partitioned", "secure", "httponly", "path"]));
      expect(attributes.get("samesite")?.toLowerCase()).toBe("none");
    }
    expect(headers.map(clears)).toEqual([false, false, true]);
    expect(client.cookies.size).toBe(0);
  });

  test("S4: without cookiePersistent the cookie ends with the browser: neither Max-Age nor Expires", async () => {
    const target = await started({ SESSION_COOKIE_PERSISTENT: "false" });
    const client = visitor(target);
    for (const { setCookies } of [
      await client.set("a", 1),
      await client.post("/login", { json: { userid: "ann", password: "demo" } }),
    ]) {
      expect(setCookies).toHaveLength(1);
      const { name, attributes } = parseSetCookie(setCookies[0] ?? "");
      expect(name).toBe("session");
      expect([...attributes.keys()].sort()).toEqual(["httponly", "path", "samesite"]);
    }
    expectStatus(await client.get("/session"), 200);
    const { setCookies } = await client.post("/logout");
    expect(setCookies.map(parseSetCookie).map(clears), "ending the session clears it all the same").toEqual([true]);
  });
});
