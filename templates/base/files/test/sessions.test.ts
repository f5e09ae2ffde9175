// What this project promises about sessions, tested over HTTP with its own framework and store. None of it needs the app's routes.
// Change it when you change a promise.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Running, startProbe, Visitor } from "./app.ts";
import { cleanUp } from "./store.ts";

interface Look {
  exists: boolean;
  userid: string | null;
  data: Record<string, unknown>;
}

/** A visitor of the probe. */
class Client extends Visitor {
  async act(action: string, value = "-", headers?: Record<string, string>): Promise<Record<string, unknown>> {
    return this.json("POST", `/${action}/${value}`, undefined, headers);
  }

  async look(headers: Record<string, string> = {}): Promise<Look> {
    const { exists, userid, data } = await this.json<Look>("POST", "/look/-", undefined, headers);
    return { exists, userid, data };
  }
}

let probe: Running;

before(async () => {
  probe = await startProbe();
});

after(async () => {
  await probe?.stop();
  await cleanUp();
});

test("a session starts with the first write, not with a request", async () => {
  const client = new Client(probe);
  assert.deepEqual(await client.look(), { exists: false, userid: null, data: {} });
  assert.equal(client.cookie, "");
  await client.act("set", "theme");
  assert.deepEqual(await client.look(), { exists: true, userid: null, data: { theme: "theme" } });
});

test("the cookie is out of reach of scripts and other sites", async () => {
  const response = await new Client(probe).send("POST", "/set/theme");
  const [cookie = ""] = response.headers.getSetCookie();
  for (const attribute of [/; HttpOnly(;|$)/, /; SameSite=Lax(;|$)/, /; Path=\/(;|$)/, /; Max-Age=\d+(;|$)/]) {
    assert.match(cookie, attribute);
  }
  assert.equal(response.headers.get("cache-control"), "no-store");
});

test("in production the cookie is Secure and of this host only", async (t) => {
  const production = await startProbe({ NODE_ENV: "production", SESSION_NAME: "session" });
  t.after(() => production.stop());
  const response = await new Client(production).send("POST", "/set/theme");
  assert.match(response.headers.getSetCookie()[0] ?? "", /^__Host-session=.*; Secure(;|$)/);
});

test("data is kept from request to request", async () => {
  const client = new Client(probe);
  for (const key of ["kept", "a.b$c", "gone"]) await client.act("set", key);
  await client.act("remove", "gone");
  assert.deepEqual((await client.look()).data, { kept: "kept", "a.b$c": "a.b$c" });
});

test("parallel requests keep each other's keys", async () => {
  const client = new Client(probe);
  await client.act("set", "first");
  const keys = Array.from({ length: 20 }, (_, index) => `key${index}`);
  await Promise.all(keys.map((key) => client.act("set", key)));
  assert.deepEqual(Object.keys((await client.look()).data).sort(), ["first", ...keys].sort());
});

test("parallel updates all count", async () => {
  const client = new Client(probe);
  await client.act("count");
  await Promise.all(Array.from({ length: 19 }, () => client.act("count")));
  assert.deepEqual((await client.look()).data, { visits: 20 });
});

test("signing in keeps the data and changes the token; the old one is dead", async () => {
  const client = new Client(probe);
  await client.act("set", "theme");
  const before = client.cookie;
  await client.act("signIn", "grace");
  assert.notEqual(client.cookie, before);
  assert.equal((await new Client(probe).look({ cookie: before })).exists, false);
  assert.deepEqual(await client.look(), { exists: true, userid: "grace", data: { theme: "theme" } });
});

test("a user can end all other sessions of their own, and nobody else's", async () => {
  const [laptop, telephone, stranger] = [new Client(probe), new Client(probe), new Client(probe)];
  for (const device of [laptop, telephone]) await device.act("signIn", "ada");
  await stranger.act("signIn", "mallory");
  assert.deepEqual(await laptop.act("endOthers"), { ended: 1 });
  const looks = await Promise.all([laptop, telephone, stranger].map((device) => device.look()));
  assert.deepEqual(
    looks.map(({ exists }) => exists),
    [true, false, true],
  );
});

test("signing out ends the session for good", async () => {
  const client = new Client(probe);
  await client.act("signIn", "alan");
  const token = client.cookie;
  await client.act("signOut");
  assert.equal(client.cookie, "");
  assert.equal((await new Client(probe).look({ cookie: token })).exists, false);
});

test("another site can't act for a visitor", async () => {
  const client = new Client(probe);
  await client.act("signIn", "edsger");
  for (const [name, value] of [
    ["sec-fetch-site", "cross-site"],
    ["origin", "https://evil.example"],
  ] as const) {
    assert.equal((await client.send("POST", "/signOut/-", undefined, { [name]: value })).status, 403);
  }
  assert.equal((await client.look()).userid, "edsger");
});

test("a client without cookies sends its token as Bearer", async () => {
  const client = new Client(probe);
  const { token } = await client.act("start");
  const headers = { authorization: `Bearer ${token}` };
  await client.act("set", "theme", headers);
  assert.equal(client.cookie, "");
  assert.deepEqual((await client.look(headers)).data, { theme: "theme" });
});

test("a session without a request ends", async (t) => {
  let elapsed = 0;
  const impatient = await startProbe({ SESSION_IDLE: "60" }, { clock: () => Date.now() + elapsed });
  t.after(() => impatient.stop());
  const client = new Client(impatient);
  await client.act("set", "theme");
  elapsed = 50_000;
  assert.equal((await client.look()).exists, true);
  elapsed += 62_000;
  assert.equal((await client.look()).exists, false);
});

test("too much data is refused, and what was there stays", async (t) => {
  const narrow = await startProbe({ SESSION_MAX_DATA_BYTES: "100" });
  t.after(() => narrow.stop());
  const client = new Client(narrow);
  await client.act("set", "small");
  assert.equal((await client.send("POST", `/set/${"x".repeat(200)}`)).status, 413);
  assert.deepEqual((await client.look()).data, { small: "small" });
});
