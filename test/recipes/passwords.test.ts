// Names and passwords in every framework, with the example and without it: a table of users beside the sessions, and limits on attempts.
import { expect, test } from "vitest";
import { Client, type Reply } from "./client.ts";
import { readPage } from "./page.ts";
import { BROKEN_LIMITS, followRecipe, type Running, run, start } from "./project.ts";

const ada = { userid: "Ada", password: "correct horse battery" };

/** Reports each hash that the app makes; where only attempts are counted, makes it a cheap one. */
const WATCH = `
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";

const { scrypt } = crypto;
let running = 0;
crypto.scrypt = (password, salt, length, options, done) => {
  running += 1;
  console.log("hash " + JSON.stringify({ ...options, length, salt: salt.toString("hex"), running }));
  const cost = process.env.CHEAP === "true" ? { N: 2 } : {};
  scrypt(password, salt, length, { ...options, ...cost }, (error, hash) => {
    running -= 1;
    done(error, hash);
  });
};
syncBuiltinESMExports();
`;

interface Hash {
  N: number;
  salt: string;
  running: number;
}

async function followPasswords(): Promise<string> {
  const files = { "watch.mjs": WATCH };
  return followRecipe({ page: "passwords", framework: "express", backend: "sqlite", files });
}

function startWatched(project: string, variables: Record<string, string> = {}): Promise<Running> {
  const env = { ...process.env, PORT: "0", NODE_ENV: "development", ...variables };
  return run(project, ["--import", "./watch.mjs", "src/main.ts"], env);
}

/** It is refused until a time of this many seconds is over, which began a short while ago. */
function expectRetryAfter({ status, headers }: Reply, seconds: number): void {
  const left = Number(headers.get("retry-after"));
  expect([status, left > seconds / 2, left <= seconds], `${left} of ${seconds} seconds`).toEqual([429, true, true]);
}

/** The hashes that the app has made, of which there must be that many by now. */
async function hashesOf(app: Running, count: number): Promise<Hash[]> {
  const reported = () => [...app.output().matchAll(/^hash (.*)$/gm)].map(([, json = ""]) => JSON.parse(json));
  // What it prints may come later than its response.
  await expect.poll(() => reported().length, { timeout: 10_000 }).toBe(count);
  return reported();
}

test("S13 S22: users register and sign in, and attempts are limited", async () => {
  const project = await followPasswords();
  let app = await startWatched(project);
  const browser = new Client(app.url);
  for (const path of ["/register", "/sign-in"]) {
    expect((await browser.post(path, { ...ada, password: "x".repeat(257) })).status).toBe(422);
  }
  for (const wrong of [{ password: "x".repeat(14) }, { userid: "a b" }, { userid: "" }, { userid: "x".repeat(101) }]) {
    expect((await browser.post("/register", { ...ada, ...wrong })).status, JSON.stringify(wrong)).toBe(422);
  }
  expect((await browser.post("/register", ada)).json).toEqual({ userid: "ada" });
  expect((await new Client(app.url).post("/register", { ...ada, userid: "ADA" })).status).toBe(409);
  expect((await browser.get("/session")).json.userid).toBe("ada");
  await app.stop();

  // The users outlast the process, as the sessions do. Unicode is one password, however it is typed.
  app = await startWatched(project);
  const again = new Client(app.url);
  expect((await again.post("/login", { ...ada, userid: "ada" })).json).toEqual({ userid: "ada" });
  await new Client(app.url).post("/register", { userid: "grace", password: "caf\u00e9 caf\u00e9 caf\u00e9 caf\u00e9" });
  const typed = { userid: "grace", password: "cafe\u0301 cafe\u0301 cafe\u0301 cafe\u0301" };
  expect((await new Client(app.url).post("/sign-in", typed)).status).toBe(200);

  const wrong = { ...ada, password: "wrong" };
  const attempts = await Promise.all(Array.from({ length: 8 }, () => new Client(app.url).post("/login", wrong)));
  expect(attempts.map(({ status }) => status).sort()).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
  const limited = await new Client(app.url).post("/sign-in", ada);
  expect(limited.status).toBe(429);
  expectRetryAfter(limited, 15 * 60);
  expect((await new Client(app.url).post("/login", { ...ada, userid: "nobody" })).status).toBe(401);
});

test("S22: whoever goes on after a refusal costs no work, and locks the user out at their own addresses only", async () => {
  const app = await startWatched(await followPasswords(), { SESSION_TRUST_PROXY: "127.0.0.1, ::1", CHEAP: "true" });
  const login = (address: string, password: string) =>
    new Client(app.url).post("/login", { ...ada, password }, { "x-forwarded-for": address });
  await new Client(app.url).post("/register", ada);
  const persistent = ["192.0.2.1", "192.0.2.3", "192.0.2.4"];
  const attempts = await Promise.all(
    persistent.flatMap((address) => Array.from({ length: 60 }, () => login(address, "wrong"))),
  );
  expect(attempts.filter(({ status }) => status === 401)).toHaveLength(15);
  expect(attempts.filter(({ status }) => status === 429)).toHaveLength(165);
  // Theirs, and the one of registering.
  await hashesOf(app, 16);
  expect((await login("192.0.2.1", ada.password)).status).toBe(429);
  expect((await login("192.0.2.2", ada.password)).status).toBe(200);
});

test("S22: an unknown user costs the same work as a wrong password, one hash at OWASP's cost", async () => {
  const app = await startWatched(await followPasswords());
  for (const userid of ["ada", "grace"]) await new Client(app.url).post("/register", { ...ada, userid });
  const login = (userid: string) => new Client(app.url).post("/login", { userid, password: "wrong" });
  const known = await login("ada");
  const unknown = await login("nobody");
  expect([unknown.status, unknown.text]).toEqual([known.status, known.text]);
  const hashes = await hashesOf(app, 4);
  const work = { N: 2 ** 17, r: 8, p: 1, length: 64, salt: expect.stringMatching(/^\w{32}$/), running: 1 };
  for (const hash of hashes) expect(hash).toMatchObject(work);
  // Each user has a salt of their own.
  const [registered, other, checked, nobody] = hashes.map(({ salt }) => salt);
  expect(checked).toBe(registered);
  expect(new Set([registered, other, nobody]).size).toBe(3);

  // However many sign in at once, two hashes at a time take memory.
  await Promise.all(Array.from({ length: 6 }, (_, index) => login(`user${index}`)));
  expect(Math.max(...(await hashesOf(app, 10)).map(({ running }) => running))).toBe(2);
});

test("S22: an address that tries many users is stopped, and so are many addresses that try one user", async () => {
  const app = await startWatched(await followPasswords(), { SESSION_TRUST_PROXY: "127.0.0.1, ::1", CHEAP: "true" });
  const attempt = (address: string, userid: string, password = "wrong") =>
    new Client(app.url).post("/login", { userid, password }, { "x-forwarded-for": address });
  const login = async (...values: Parameters<typeof attempt>) => (await attempt(...values)).status;
  const count = (statuses: number[]) => [401, 429].map((status) => statuses.filter((each) => each === status).length);
  await new Client(app.url).post("/register", ada);

  // What goes well doesn't count.
  for (let times = 0; times < 8; times += 1) expect(await login("192.0.2.1", "ada", ada.password)).toBe(200);
  const names = Array.from({ length: 60 }, (_, index) => login("192.0.2.1", `user${index}`));
  expect(count(await Promise.all(names))).toEqual([50, 10]);
  expectRetryAfter(await attempt("192.0.2.1", "ada", ada.password), 3600);
  expect(await login("192.0.2.2", "ada", ada.password)).toBe(200);

  const addresses = Array.from({ length: 110 }, (_, index) => login(`198.51.100.${index}`, "ada"));
  expect(count(await Promise.all(addresses))).toEqual([100, 10]);
  expectRetryAfter(await attempt("203.0.113.1", "ADA", ada.password), 24 * 3600);
  expect(await login("203.0.113.1", "grace")).toBe(401);
});

test("S22: all addresses of one IPv6 network count as one", async () => {
  const app = await startWatched(await followPasswords(), { SESSION_TRUST_PROXY: "127.0.0.1, ::1", CHEAP: "true" });
  const login = async (address: string, userid: string, password = "wrong") => {
    const headers = { "x-forwarded-for": address };
    return (await new Client(app.url).post("/login", { userid, password }, headers)).status;
  };
  await new Client(app.url).post("/register", ada);
  const hosts = ["::1", "::1:2", "::a:b:c", ":3:0:0:1", ":4:5:6:7", "::ffff", ":0:0:8:0"];
  const statuses = await Promise.all(
    hosts.map((host) => login(`2001:db8:0:0${host}`.replace("db8:0:0::", "db8::"), "ada")),
  );
  expect(statuses.sort()).toEqual([401, 401, 401, 401, 401, 429, 429]);
  expect(await login("2001:db8::9", "ada", ada.password)).toBe(429);
  expect(await login("2001:db8:0:1::9", "ada", ada.password)).toBe(200);
});

test("S16 S22: attempts count where they come from, wherever the sessions were begun that carry them", async () => {
  const app = await startWatched(await followPasswords(), { SESSION_TRUST_PROXY: "127.0.0.1, ::1", CHEAP: "true" });
  const from = (address: string) => ({ "x-forwarded-for": address });
  await new Client(app.url).post("/register", ada);
  const sessionBegunAt = async (address: string) => {
    const client = new Client(app.url);
    await client.get("/visits", from(address));
    expect(client.cookie).not.toBe("");
    return client;
  };
  const stock = await Promise.all(Array.from({ length: 60 }, (_, index) => sessionBegunAt(`198.51.100.${index}`)));
  const traveller = await sessionBegunAt("192.0.2.1");
  const attempts = stock.map((client, index) =>
    client.post("/sign-in", { userid: `user${index}`, password: "wrong" }, from("192.0.2.1")),
  );
  const statuses = (await Promise.all(attempts)).map(({ status }) => status);
  expect([401, 429].map((status) => statuses.filter((each) => each === status).length)).toEqual([50, 10]);
  expect((await traveller.post("/sign-in", ada, from("192.0.2.1"))).status).toBe(429);
  // Nobody is refused for what others do at the address that they have left.
  expect((await traveller.post("/login", ada, from("192.0.2.2"))).status).toBe(200);
});

test("S22: nobody signs in while attempts can't be counted, and nobody is told to come back later", async () => {
  const files = { "broken.mjs": BROKEN_LIMITS };
  const project = await followRecipe({ page: "passwords", framework: "express", backend: "sqlite", files });
  const env = { ...process.env, PORT: "0", NODE_ENV: "development" };
  const app = await run(project, ["--import", "./broken.mjs", "src/main.ts"], env);
  const browser = new Client(app.url);
  await browser.post("/register", ada);
  await browser.post("/sign-out");
  const { status, headers, text } = await browser.post("/sign-in", ada);
  expect([status, headers.get("retry-after"), browser.cookie]).toEqual([500, null, ""]);
  expect(text).not.toContain("the store of the limits");
  await app.printed(/the store of the limits is down/);
});

test("the demo's password is nobody's any more, and the page says so", async () => {
  const app = await startWatched(await followPasswords(), { CHEAP: "true" });
  const browser = new Client(app.url);
  expect((await browser.post("/login", { userid: "ada", password: "demo" })).status).toBe(401);
  expect((await browser.get("/")).text).not.toContain("demo");
});

test.each(readPage("passwords").frameworks)(
  "S13 S14 C13: without the example, users register, sign in and out in %s, by JSON and by a form",
  async (framework) => {
    const { url } = await start(await followRecipe({ page: "passwords", framework, backend: "sqlite", minimal: true }));
    const browser = new Client(url);
    const asGuest = (await browser.get("/visits")) && browser.cookie;
    const registered = await browser.post("/register", ada);
    expect([registered.status, registered.json]).toEqual([201, { userid: "ada" }]);
    expect(browser.cookie).not.toBe(asGuest);
    expect((await browser.get("/visits")).json).toEqual({ visits: 2 });
    const signedIn = browser.cookie;
    expect((await browser.post("/sign-out")).status).toBe(204);
    expect(browser.cookie).toBe("");
    browser.cookies.set("session", signedIn.replace("session=", ""));
    expect((await browser.get("/visits")).json).toEqual({ visits: 1 });

    expect((await browser.post("/sign-in", { ...ada, password: "wrong" })).status).toBe(401);
    expect((await browser.post("/sign-in", { userid: ["ada"], password: { length: 1 } })).status).toBe(422);
    expect((await browser.post("/sign-in", ada)).json).toEqual({ userid: "ada" });
    // Nobody finds what the user before them has left behind.
    for (const [path, userid] of [
      ["/register", "grace"],
      ["/sign-in", "ada"],
    ] as const) {
      expect((await browser.post(path, { ...ada, userid })).json).toEqual({ userid });
      expect((await browser.get("/visits")).json, `${userid} after somebody else`).toEqual({ visits: 1 });
    }
    const form = await browser.form("/sign-in", { ...ada, return: "/visits?a=b" });
    expect([form.status, form.headers.get("location")]).toEqual([303, "/visits?a=b"]);
    // The same user again.
    expect((await browser.get("/visits")).json).toEqual({ visits: 2 });
    // Whatever a browser takes for an address of another site.
    for (const elsewhere of ["//evil.example", "/\\evil.example", "/\t/evil.example"]) {
      const { status, headers } = await browser.form("/sign-in", { ...ada, return: elsewhere });
      expect([status, headers.get("location")], elsewhere).toEqual([303, "/"]);
    }
    const out = await browser.form("/sign-out", {});
    expect([out.status, out.headers.get("location"), browser.cookie]).toEqual([303, "/", ""]);
  },
);
