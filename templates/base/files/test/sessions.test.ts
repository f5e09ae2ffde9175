// What this app promises about sessions, tested from outside against its own store.
// Add a test for every handler that you add; a Visitor is a browser with its cookies.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { type App, startApp, Visitor } from "./app.ts";
import { cleanUp } from "./store.ts";

interface Device {
  id: string;
  current: boolean;
}

let app: App;

before(async () => {
  app = await startApp();
});

after(async () => {
  await app?.stop();
  await cleanUp();
});

test("a session starts with the first write, not with a visit", async () => {
  const visitor = new Visitor(app);
  const visit = await visitor.send("GET", "/");
  assert.equal(visit.status, 200);
  assert.deepEqual(visit.headers.getSetCookie(), []);
  assert.equal(await visitor.status(), 404);
  await visitor.json("PUT", "/session/data/theme", { value: "dark" });
  assert.equal(await visitor.status(), 200);
});

test("the cookie is out of reach of scripts and other sites", async () => {
  const response = await new Visitor(app).send("PUT", "/session/data/theme", { value: "dark" });
  const [cookie = ""] = response.headers.getSetCookie();
  for (const attribute of [/; HttpOnly(;|$)/, /; SameSite=Lax(;|$)/, /; Path=\/(;|$)/, /; Max-Age=\d+(;|$)/]) {
    assert.match(cookie, attribute);
  }
  assert.equal(response.headers.get("cache-control"), "no-store");
});

test("in production the cookie is Secure and of this host only, and browsers are told to stay with HTTPS", async (t) => {
  const production = await startApp({ NODE_ENV: "production" });
  t.after(() => production.stop());
  const response = await new Visitor(production).send("PUT", "/session/data/theme", { value: "dark" });
  assert.match(response.headers.getSetCookie()[0] ?? "", /^__Host-session=.*; Secure(;|$)/);
  const [, seconds] = /max-age=(\d+)/.exec(response.headers.get("strict-transport-security") ?? "") ?? [];
  assert.ok(Number(seconds) >= 365 * 24 * 60 * 60);
});

test("data is kept from request to request", async () => {
  const visitor = new Visitor(app);
  const value = { list: [1, "two", null, true], nested: { "a.b": "$c" } };
  await visitor.json("PUT", "/session/data/any", { value });
  await visitor.json("PUT", "/session/data/gone", { value: 1 });
  await visitor.json("DELETE", "/session/data/gone");
  const { data } = await visitor.json<{ data: object }>("GET", "/session");
  assert.deepEqual(data, { any: value });
});

test("parallel requests keep each other's keys", async () => {
  const visitor = new Visitor(app);
  await visitor.json("PUT", "/session/data/first", { value: 0 });
  const keys = Array.from({ length: 20 }, (_, index) => `key${index}`);
  await Promise.all(keys.map((key) => visitor.json("PUT", `/session/data/${key}`, { value: key })));
  const { data } = await visitor.json<{ data: object }>("GET", "/session");
  assert.deepEqual(Object.keys(data).sort(), ["first", ...keys].sort());
});

test("what two clicks put into the cart at the same time is all in it", async () => {
  const visitor = new Visitor(app);
  await visitor.json("POST", "/cart", { sku: "tea", quantity: 1 });
  await Promise.all(Array.from({ length: 19 }, () => visitor.json("POST", "/cart", { sku: "tea", quantity: 1 })));
  assert.deepEqual(await visitor.json("GET", "/cart"), { cart: { tea: 20 } });
});

test("signing in keeps the data and changes the token; the old one is dead", async () => {
  const visitor = new Visitor(app);
  await visitor.json("PUT", "/session/data/theme", { value: "dark" });
  const before = visitor.cookie;
  await visitor.signIn("grace");
  assert.notEqual(visitor.cookie, before);
  assert.equal(await new Visitor(app).status({ cookie: before }), 404);
  const session = await visitor.json<{ userid: string; data: object }>("GET", "/session");
  assert.equal(session.userid, "grace");
  assert.deepEqual(session.data, { theme: "dark" });
});

test("a wrong password signs nobody in", async () => {
  const visitor = new Visitor(app);
  assert.equal((await visitor.send("POST", "/login", { userid: "grace", password: "wrong" })).status, 401);
  assert.equal(visitor.cookie, "");
});

test("users see their devices, and end one or all others", async () => {
  const [laptop, telephone, tablet] = [new Visitor(app), new Visitor(app), new Visitor(app)];
  for (const device of [laptop, telephone, tablet]) await device.signIn("ada");
  const { id } = await telephone.json<Device>("GET", "/session");
  const devices = await laptop.json<Device[]>("GET", "/sessions");
  assert.equal(devices.length, 3);
  assert.equal(devices.filter((device) => device.current).length, 1);

  const stranger = new Visitor(app);
  await stranger.signIn("mallory");
  assert.equal((await stranger.send("DELETE", `/sessions/${id}`)).status, 404);
  assert.equal(await telephone.status(), 200);

  assert.equal((await laptop.send("DELETE", `/sessions/${id}`)).status, 204);
  assert.equal(await telephone.status(), 404);
  assert.deepEqual(await laptop.json("DELETE", "/sessions"), { ended: 1 });
  assert.deepEqual([await laptop.status(), await tablet.status()], [200, 404]);
});

test("signing out ends the session for good", async () => {
  const visitor = new Visitor(app);
  await visitor.signIn("alan");
  const token = visitor.cookie;
  assert.equal((await visitor.send("POST", "/logout")).status, 204);
  assert.equal(visitor.cookie, "");
  assert.equal(await new Visitor(app).status({ cookie: token }), 404);
});

test("another site can't act for a visitor", async () => {
  const visitor = new Visitor(app);
  await visitor.signIn("edsger");
  for (const [name, value] of [
    ["sec-fetch-site", "cross-site"],
    ["origin", "https://evil.example"],
  ] as const) {
    assert.equal((await visitor.send("POST", "/logout", undefined, { [name]: value })).status, 403);
  }
  assert.equal(await visitor.status(), 200);
});

test("a client without cookies sends its token as Bearer", async () => {
  const client = new Visitor(app);
  const { token } = await client.json<{ token: string }>("POST", "/session");
  assert.equal(client.cookie, "");
  const headers = { authorization: `Bearer ${token}` };
  assert.equal((await client.send("PUT", "/session/data/theme", { value: "dark" }, headers)).status, 200);
  assert.equal(await client.status(headers), 200);
});

test("a session without a request ends", async (t) => {
  const impatient = await startApp({ SESSION_IDLE: "1" });
  t.after(() => impatient.stop());
  const visitor = new Visitor(impatient);
  await visitor.json("PUT", "/session/data/theme", { value: "dark" });
  assert.notEqual(visitor.cookie, "");
  await wait(2500); // Times are in whole seconds: "more than 1" is 2 at the latest.
  assert.equal(await visitor.status(), 404);
});

test("too much data is refused, and what was there stays", async (t) => {
  const narrow = await startApp({ SESSION_MAX_DATA_BYTES: "100" });
  t.after(() => narrow.stop());
  const visitor = new Visitor(narrow);
  await visitor.json("PUT", "/session/data/small", { value: 1 });
  assert.equal((await visitor.send("PUT", "/session/data/large", { value: "x".repeat(200) })).status, 413);
  assert.deepEqual((await visitor.json<{ data: object }>("GET", "/session")).data, { small: 1 });
});

test("it says whether it is well, and stops when asked to", async () => {
  const other = await startApp();
  assert.deepEqual(await new Visitor(other).json("GET", "/health"), { store: "up" });
  const code = await other.stop();
  // On Windows a process can't be asked, only ended.
  if (process.platform !== "win32") assert.equal(code, 0);
});
