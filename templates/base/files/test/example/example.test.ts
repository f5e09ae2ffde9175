// The example's routes. Delete it together with src/example.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Running, startApp, Visitor } from "../app.ts";
import { cleanUp } from "../store.ts";

interface Device {
  id: string;
  current: boolean;
}

/** What src/authenticate.ts accepts. */
const PASSWORD = "demo";

let app: Running;

before(async () => {
  app = await startApp();
});

after(async () => {
  await app?.stop();
  await cleanUp();
});

async function signedIn(userid: string): Promise<Visitor> {
  const visitor = new Visitor(app);
  await visitor.json("POST", "/login", { userid, password: PASSWORD });
  return visitor;
}

async function statusOf(visitor: Visitor): Promise<number> {
  return (await visitor.send("GET", "/session")).status;
}

test("the page is there for a visitor without a session, and starts none", async () => {
  const page = await new Visitor(app).send("GET", "/");
  assert.equal(page.status, 200);
  assert.match(await page.text(), /No session yet/);
  assert.deepEqual(page.headers.getSetCookie(), []);
});

test("values are set, shown and removed", async () => {
  const visitor = new Visitor(app);
  const value = { list: [1, "two", null, true], nested: { "a.b": "$c" } };
  await visitor.json("PUT", "/session/data/any", { value });
  await visitor.json("PUT", "/session/data/gone", { value: 1 });
  await visitor.json("DELETE", "/session/data/gone");
  const { data } = await visitor.json<{ data: object }>("GET", "/session");
  assert.deepEqual(data, { any: value });
});

test("what two clicks put into the cart at the same time is all in it", async () => {
  const visitor = new Visitor(app);
  await visitor.json("POST", "/cart", { sku: "tea", quantity: 1 });
  await Promise.all(Array.from({ length: 19 }, () => visitor.json("POST", "/cart", { sku: "tea", quantity: 1 })));
  assert.deepEqual(await visitor.json("GET", "/cart"), { cart: { tea: 20 } });
});

test("a wrong password signs nobody in", async () => {
  const visitor = new Visitor(app);
  const { status } = await visitor.send("POST", "/login", { userid: "grace", password: "wrong" });
  assert.deepEqual([status, visitor.cookie], [401, ""]);
});

test("the demo signs nobody in where others can reach it, or in production", async (t) => {
  for (const [name, value] of [
    ["HOST", "0.0.0.0"],
    ["NODE_ENV", "production"],
  ] as const) {
    const reachable = await startApp({ [name]: value });
    t.after(() => reachable.stop());
    const visitor = new Visitor({ ...reachable, url: reachable.url.replace("0.0.0.0", "127.0.0.1") });
    const { status } = await visitor.send("POST", "/login", { userid: "grace", password: PASSWORD });
    assert.deepEqual([status, visitor.cookie], [501, ""]);
  }
});

test("users see their devices, and end one or all others", async () => {
  const [laptop, telephone, tablet] = [await signedIn("ada"), await signedIn("ada"), await signedIn("ada")];
  const { id } = await telephone.json<Device>("GET", "/session");
  const devices = await laptop.json<Device[]>("GET", "/sessions");
  assert.equal(devices.length, 3);
  assert.equal(devices.filter((device) => device.current).length, 1);

  const stranger = await signedIn("mallory");
  assert.equal((await stranger.send("DELETE", `/sessions/${id}`)).status, 404);
  assert.equal(await statusOf(telephone), 200);

  assert.equal((await laptop.send("DELETE", `/sessions/${id}`)).status, 204);
  assert.equal(await statusOf(telephone), 404);
  assert.deepEqual(await laptop.json("DELETE", "/sessions"), { ended: 1 });
  assert.deepEqual([await statusOf(laptop), await statusOf(tablet)], [200, 404]);
});
