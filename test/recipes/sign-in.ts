// What must be true of every Passport, whatever framework it is for.
// Change it when recipes of Passport get another route.
import { expect } from "vitest";
import { Client } from "./client.ts";

const ada = { username: "ada", password: "demo" };

export async function expectSignInOf(url: string): Promise<void> {
  const browser = new Client(url);
  await browser.send("PUT", "/session/data/cart", '{"value":[1]}', { "content-type": "application/json" });
  const asGuest = browser.cookie;

  expect((await browser.post("/passport/login", { ...ada, password: "wrong" })).status).toBe(401);
  expect((await browser.post("/passport/login", ada)).json).toEqual({ user: { id: "ada" } });
  expect(browser.cookie).not.toBe(asGuest);
  expect((await browser.get("/passport/me")).json).toEqual({ user: { id: "ada" } });
  expect((await browser.get("/session")).json).toMatchObject({ userid: "ada", data: { cart: [1] } });

  // What one user has left behind is not for the next.
  const shared = new Client(url);
  await shared.post("/passport/login", { ...ada, username: "carol" });
  await shared.send("PUT", "/session/data/cart", '{"value":[2]}', { "content-type": "application/json" });
  await shared.post("/passport/login", { ...ada, username: "dave" });
  const { userid, data } = (await shared.get("/session")).json;
  expect([userid, data.cart]).toEqual(["dave", undefined]);

  // The old token is dead.
  const thief = new Client(url);
  thief.cookies.set("session", asGuest.split("=")[1] ?? "");
  expect((await thief.get("/session")).status).toBe(404);

  // Another device, ended from the first; that it may is because the sign-in is recent.
  const other = new Client(url);
  await other.post("/passport/login", ada);
  expect((await browser.get("/sessions")).json).toHaveLength(2);
  expect((await browser.send("DELETE", "/sessions")).json).toEqual({ ended: 1 });
  expect((await other.get("/passport/me")).json).toEqual({ user: null });

  const signedIn = browser.cookie;
  expect((await browser.post("/passport/logout")).status).toBe(204);
  expect((await browser.get("/passport/me")).json).toEqual({ user: null });
  expect((await browser.get("/sessions")).status).toBe(401);
  thief.cookies.set("session", signedIn.split("=")[1] ?? "");
  expect((await thief.get("/session")).status).toBe(404);
}

export async function expectVisitorsLeftAlone(url: string): Promise<void> {
  const visitor = new Client(url);
  expect((await visitor.get("/passport/me")).json).toEqual({ user: null });
  expect(visitor.cookie).toBe("");
  expect((await visitor.post("/login", { userid: "grace", password: "demo" })).status).toBe(200);
  expect((await visitor.get("/passport/me")).json).toEqual({ user: null });
  expect((await visitor.get("/session")).json.userid).toBe("grace");
}
