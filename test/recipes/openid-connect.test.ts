// Sign-in by OpenID Connect against a provider on loopback.
import { expect, onTestFinished, test } from "vitest";
import { freePort } from "../generator/registry.ts";
import { Client } from "./client.ts";
import { followRecipe, start } from "./project.ts";
import { signInAtProvider, startProvider } from "./provider.ts";

/** The page's app in Express, and its provider. */
async function startApp(more: { signedInSecondsAgo?: number } = {}) {
  const project = await followRecipe({ page: "openid-connect", framework: "express" });
  const port = await freePort();
  const app = `http://localhost:${port}`;
  const options = { redirects: [`${app}/openid/return`], afterLogout: [`${app}/`], ...more };
  const provider = await startProvider(project, options);
  onTestFinished(provider.close);
  const { url } = await start(project, { PORT: String(port), APP_URL: app, OPENID_ISSUER: provider.issuer });
  return { app, url, provider };
}

test("S13 S15 S22: openid-client signs in by code, PKCE, state and nonce, asks again before what is sensitive, and signs out", async () => {
  const { app, url, provider } = await startApp();
  const browser = new Client(url);
  await browser.send("PUT", "/session/data/cart", '{"value":[1]}', { "content-type": "application/json" });
  const asGuest = browser.cookies.get("session");

  // Nobody is sent to another site.
  const elsewhere = await signInAtProvider(browser, "/openid/login?to=https://evil.example/", "ada");
  expect(elsewhere.url).toBe(`${app}/`);
  for (const to of ["//evil.example/", "/\\evil.example/", `${app}//evil.example/`, "javascript:alert(1)"]) {
    const { url: end } = await signInAtProvider(browser, `/openid/login?to=${encodeURIComponent(to)}`, "ada");
    expect(new URL(end).origin).toBe(app);
  }
  const { json: session } = await browser.get("/session");
  expect(session.userid).toBe(`${provider.issuer} ada`);
  expect(session.data.cart).toEqual([1]);
  expect(session.data.signingIn).toBeUndefined();
  expect(browser.cookies.get("session")).not.toBe(asGuest);
  expect((await browser.get("/sessions")).json).toHaveLength(1);

  // The provider signs in again without asking; that is as old as what it has seen.
  const again = await signInAtProvider(browser, "/openid/login?to=/session", "nobody");
  expect(again.json.userid).toBe(`${provider.issuer} ada`);
  expect((await browser.send("DELETE", "/account")).status).toBe(204);

  // A response that this browser hasn't asked for, and one that is sent twice.
  const victim = new Client(url);
  expect((await victim.get("/openid/return?code=stolen&state=invented")).status).toBe(400);
  await victim.get("/openid/login");
  expect((await victim.get("/openid/return?code=stolen&state=invented")).status).toBe(400);
  expect((await victim.get("/session")).json.userid).toBe(null);

  const signOut = await browser.form("/openid/logout", {});
  expect(signOut.status).toBe(303);
  expect(signOut.headers.get("location")).toMatch(`${provider.issuer}/session/end?`);
  // The provider knows by it whose sign-in is to end, and that it was made for this app.
  expect(signOut.headers.get("location")).toMatch(/id_token_hint=[\w-]+\.[\w-]+\.[\w-]+/);
  expect(signOut.headers.get("content-security-policy")).toContain(`form-action 'self' ${provider.issuer}`);
  expect((await browser.get("/session")).status).toBe(404);
  const page = await browser.follow(signOut.headers.get("location") ?? "");
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.text)?.[1] ?? "";
  const confirmed = await browser.form(`${provider.issuer}/session/end/confirm`, { xsrf, logout: "yes" });
  expect(confirmed.headers.get("location")).toBe(`${app}/`);

  // Signed out there too: the provider asks who it is.
  const other = await signInAtProvider(browser, "/openid/login?to=/session", "grace");
  expect(other.json.userid).toBe(`${provider.issuer} grace`);
});

test("S13 S17: a sign-in counts with this browser's own state, nonce and code verifier only", async () => {
  const { app, url } = await startApp();
  const toProvider = async (browser: Client) =>
    new URL((await browser.get("/openid/login")).headers.get("location") ?? "");
  for (const name of ["state", "nonce", "code_challenge"]) {
    const browser = new Client(url);
    const [first, second] = [await toProvider(browser), await toProvider(browser)];
    expect(first.searchParams.get("code_challenge_method")).toBe("S256");
    expect(second.searchParams.get(name), name).toMatch(/^[\w-]{43}$/);
    expect(first.searchParams.get(name), name).not.toBe(second.searchParams.get(name));
    // The provider vouches for something else than what this browser has asked for.
    second.searchParams.set(name, first.searchParams.get(name) ?? "");
    const end = await signInAtProvider(browser, second.href, "ada");
    expect([name, end.status, new URL(end.url).pathname]).toEqual([name, 400, "/openid/return"]);
    expect((await browser.get("/session")).json.userid).toBe(null);
  }

  // Somebody's own genuine response signs nobody else in, not even where the state is the other's.
  for (const withState of [false, true]) {
    const attacker = new Client(url);
    const response = new URL(
      (await signInAtProvider(attacker, "/openid/login", "attacker", `${app}/openid/return`)).url,
    );
    expect([response.pathname, response.searchParams.has("code")]).toEqual(["/openid/return", true]);
    const victim = new Client(url);
    const state = (await toProvider(victim)).searchParams.get("state") ?? "";
    if (withState) response.searchParams.set("state", state);
    expect((await victim.get(response.href)).status).toBe(400);
    expect((await victim.get("/session")).json.userid).toBe(null);
    if (!withState) expect((await attacker.get(response.href)).status).toBe(302);
  }
});

test("S13: who signs in where somebody else is signed in finds none of their data", async () => {
  const { url, provider } = await startApp();
  const browser = new Client(url);
  // A sign-in that was given up is no hindrance to the next.
  await browser.get("/openid/login");
  expect((await signInAtProvider(browser, "/openid/login", "ada")).status).toBe(200);
  await browser.send("PUT", "/session/data/cart", '{"value":[1]}', { "content-type": "application/json" });
  const token = browser.cookies.get("session") ?? "";
  // The provider has forgotten ada.
  browser.cookies.clear();
  browser.cookies.set("session", token);
  const { json } = await signInAtProvider(browser, "/openid/login?to=/session", "grace");
  expect(json.userid).toBe(`${provider.issuer} grace`);
  expect(Object.keys(json.data)).toEqual(["openid"]);
});

test("S22: a sign-in that the provider remembers doesn't count as recent", async () => {
  const { url, provider } = await startApp({ signedInSecondsAgo: 3600 });
  const browser = new Client(url);
  await signInAtProvider(browser, "/openid/login", "ada");
  const refused = await browser.send("DELETE", "/account");
  expect(refused.status).toBe(403);
  expect(refused.json.signIn).toBe("/openid/login?again&to=%2Faccount");
  // Sent there again, the provider asks for a password, however long the user has been known there.
  const before = browser.cookies.get("session");
  const asked = await browser.get("/openid/login?again&to=/session");
  expect(asked.headers.get("location")).toMatch(/prompt=login/);
  const page = await browser.follow("/openid/login?again&to=/session");
  expect(page.url).toMatch(`${provider.issuer}/interaction/`);
  // A provider that pays no heed to it is not believed.
  expect((await signInAtProvider(browser, "/openid/login?again&to=/session", "ada")).status).toBe(400);
  expect((await browser.send("DELETE", "/account")).status).toBe(403);
  provider.remembersFor(0);
  const { json } = await signInAtProvider(browser, "/openid/login?again&to=/session", "ada");
  expect(json.userid).toBe(`${provider.issuer} ada`);
  expect(browser.cookies.get("session")).not.toBe(before);
  expect((await browser.send("DELETE", "/account")).status).toBe(204);
});

test("a provider that is down costs nothing but the sign-in", async () => {
  const project = await followRecipe({ page: "openid-connect", framework: "express" });
  const issuer = `http://localhost:${await freePort()}`;
  const { url } = await start(project, { OPENID_ISSUER: issuer });
  const browser = new Client(url);
  expect((await browser.get("/openid/login")).status).toBe(503);
  expect((await browser.get("/visits")).status).toBe(200);
});
