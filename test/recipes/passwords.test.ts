// Names and passwords: a table of users beside the sessions, and limits on attempts.
import { expect, test } from "vitest";
import { Client } from "./client.ts";
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
  expect((await new Client(app.url).post("/login", typed)).status).toBe(200);

  const wrong = { ...ada, password: "wrong" };
  const attempts = await Promise.all(Array.from({ length: 8 }, () => new Client(app.url).post("/login", wrong)));
  expect(attempts.map(({ status }) => status).sort()).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
  const limited = await new Client(app.url).post("/login", ada);
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
