// Names and passwords in every framework, with the example and without it: a table of users beside the sessions, and limits on attempts.
import { expect, test } from "vitest";
import { Client } from "./client.ts";
import { readPage } from "./page.ts";
import { followRecipe, start } from "./project.ts";

const ada = { userid: "Ada", password: "correct horse battery" };

test("S13 S22: users register and sign in, and attempts are limited", async () => {
  const project = await followRecipe({ page: "passwords", framework: "express", backend: "sqlite" });
  let app = await start(project);
  const browser = new Client(app.url);
  expect((await browser.post("/register", { ...ada, password: "short" })).status).toBe(422);
  expect((await browser.post("/register", ada)).json).toEqual({ userid: "ada" });
  expect((await new Client(app.url).post("/register", { ...ada, userid: "ADA" })).status).toBe(409);
  expect((await browser.get("/session")).json.userid).toBe("ada");
  await app.stop();

  // The users outlast the process, as the sessions do. Unicode is one password, however it is typed.
  app = await start(project);
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
  expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await new Client(app.url).post("/login", { ...ada, userid: "nobody" })).status).toBe(401);
});

test("S22: whoever goes on after a refusal locks the user out at that address only", async () => {
  const project = await followRecipe({ page: "passwords", framework: "express", backend: "sqlite" });
  const app = await start(project, { SESSION_TRUST_PROXY: "127.0.0.1, ::1" });
  const login = (address: string, password: string) =>
    new Client(app.url).post("/login", { ...ada, password }, { "x-forwarded-for": address });
  await new Client(app.url).post("/register", ada);
  const attempts = await Promise.all(Array.from({ length: 120 }, () => login("192.0.2.1", "wrong")));
  expect(attempts.filter(({ status }) => status === 401)).toHaveLength(5);
  expect(attempts.filter(({ status }) => status === 429)).toHaveLength(115);
  expect((await login("192.0.2.1", ada.password)).status).toBe(429);
  expect((await login("192.0.2.2", ada.password)).status).toBe(200);
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
    const form = await browser.form("/sign-in", { ...ada, return: "/visits?a=b" });
    expect([form.status, form.headers.get("location")]).toEqual([303, "/visits?a=b"]);
    // Whatever a browser takes for an address of another site.
    for (const elsewhere of ["//evil.example", "/\\evil.example", "/\t/evil.example"]) {
      const { status, headers } = await browser.form("/sign-in", { ...ada, return: elsewhere });
      expect([status, headers.get("location")], elsewhere).toEqual([303, "/"]);
    }
    const out = await browser.form("/sign-out", {});
    expect([out.status, out.headers.get("location"), browser.cookie]).toEqual([303, "/", ""]);
  },
);
