// Passport's OAuth 2 against a provider on loopback.
import { expect, test } from "vitest";
import { freePort } from "../generator/registry.ts";
import { Client } from "./client.ts";
import { followRecipe, start } from "./project.ts";
import { signInAtProvider, startProvider } from "./provider.ts";

test("S13 S15 S25: OAuth 2 keeps its state in the session, and signs in with a new token", async () => {
  const project = await followRecipe({ page: "passport-oauth2", framework: "express" });
  const port = await freePort();
  const provider = await startProvider(project, { redirects: [`http://localhost:${port}/oauth/return`] });
  try {
    const { url } = await start(project, { PORT: String(port), OAUTH_PROVIDER: provider.issuer });
    const browser = new Client(url);
    const put = (value: number) =>
      browser.send("PUT", "/session/data/cart", `{"value":[${value}]}`, { "content-type": "application/json" });
    await put(1);
    expect((await browser.get("/oauth/login")).status).toBe(302);
    const before = browser.cookies.get("session");
    const { json, status } = await signInAtProvider(browser, "/oauth/login", "ada");
    expect(status).toBe(200);
    expect(json).toMatchObject({ userid: `${provider.issuer} ada`, data: { cart: [1] } });
    expect(browser.cookies.get("session")).not.toBe(before);
    expect((await browser.get("/sessions")).json).toHaveLength(1);

    // What one user has left behind is not for the next.
    await put(2);
    const next = new Client(url);
    next.cookies.set("session", browser.cookies.get("session") ?? "");
    const { json: other } = await signInAtProvider(next, "/oauth/login", "grace");
    expect([other.userid, other.data.cart]).toEqual([`${provider.issuer} grace`, undefined]);

    // It counts with this browser's own state and code verifier only.
    for (const name of ["state", "code_challenge"]) {
      const stranger = new Client(url);
      const [first, second] = [await stranger.get("/oauth/login"), await stranger.get("/oauth/login")].map(
        ({ headers }) => new URL(headers.get("location") ?? ""),
      );
      const other = first?.searchParams.get(name) ?? "";
      expect(other, name).not.toBe("");
      expect(second?.searchParams.get(name), name).not.toBe(other);
      expect(second?.searchParams.get("code_challenge_method")).toBe("S256");
      second?.searchParams.set(name, other);
      expect((await signInAtProvider(stranger, second?.href ?? "", "ada")).status, name).toBeGreaterThanOrEqual(400);
      expect((await stranger.get("/session")).json.userid).toBe(null);
    }

    // A response that this browser hasn't asked for.
    const victim = new Client(url);
    await victim.get("/oauth/login");
    expect((await victim.get("/oauth/return?code=stolen&state=invented")).status).toBe(403);
    expect((await victim.get("/session")).json.userid).toBe(null);
  } finally {
    provider.close();
  }
});
