// The page's forms without a browser: urlencoded posts to the same paths, redirected back with 303.
// Change it with the forms in the page.

import { expect, test } from "vitest";
import type { HttpResponse } from "../client.ts";
import { expectStatus, guest, PASSWORD, signedIn, someone, type Target, token, visitor } from "./visitors.ts";

export function formTests(target: Target): void {
  test("section 5: POST /session/start starts a session and goes back", async () => {
    const client = visitor(target);
    expectBack(await client.post("/session/start", { form: {} }));
    const first = token(client);
    expect(first).toMatch(/^[\w-]{64}$/);
    expect((await client.get("/session")).json.data).toBeTypeOf("object");
    expectBack(await client.post("/session/start", { form: {} }));
    expect((await client.get("/session")).status, "starting twice keeps the session").toBe(200);
    expect(token(client)).toBe(first);
  });

  test("section 5: POST /session/data sets a text, POST /session/data/delete removes it", async () => {
    const client = visitor(target);
    for (const [key, value] of [
      ["theme", "dark"],
      ["a.b", ""],
      ["$set", "1 & 2 = 3 + ü"],
      ["..", "up"],
      ["__proto__", "x"],
    ] as const) {
      expectBack(await client.post("/session/data", { form: { key, value } }));
      const { data } = (await client.get("/session")).json;
      expect(Object.getOwnPropertyDescriptor(data, key)?.value).toBe(value);
      expectBack(await client.post("/session/data/delete", { form: { key } }));
      expect(Object.hasOwn((await client.get("/session")).json.data, key)).toBe(false);
    }
  });

  test("section 5: a form's value is JSON where it can be read as such, null too, and else text", async () => {
    const client = visitor(target);
    for (const [text, value] of [
      ["null", null],
      ["false", false],
      ["0", 0],
      ['""', ""],
      ['{"a":[null]}', { a: [null] }],
      ["nul", "nul"],
      ["", ""],
    ] as const) {
      expectBack(await client.post("/session/data", { form: { key: "value", value: text } }));
      expect((await client.get("/session")).json.data, text).toEqual({ value });
    }
  });

  test("section 5: POST /login and POST /logout by form", async () => {
    const userid = someone();
    const client = visitor(target);
    expectBack(await client.post("/login", { form: { userid, password: PASSWORD } }));
    expect((await client.get("/session")).json.userid).toBe(userid);
    expectBack(await client.post("/logout", { form: {} }));
    expect(token(client)).toBeUndefined();
    expect((await client.get("/session")).status).toBe(404);
  });

  test("section 5: a wrong password in the form signs nobody in and starts nothing", async () => {
    const client = visitor(target);
    const response = await client.post("/login", { form: { userid: someone(), password: "wrong" } });
    expectStatus(response, 401);
    expect(token(client)).toBeUndefined();
  });

  test("section 5: POST /sessions/end and POST /sessions/end-others by form", async () => {
    const userid = someone();
    const [here, there, elsewhere] = [
      await signedIn(target, userid),
      await signedIn(target, userid),
      await signedIn(target, userid),
    ];
    const { id } = (await there.get("/session")).json;
    expectBack(await here.post("/sessions/end", { form: { id } }));
    expect((await there.get("/session")).status).toBe(404);
    expect((await elsewhere.get("/session")).status).toBe(200);
    expectBack(await here.post("/sessions/end-others", { form: {} }));
    expect((await elsewhere.get("/session")).status).toBe(404);
    expect((await here.get("/session")).status).toBe(200);
  });

  test("section 5, S15: POST /sessions/end does nothing to someone else's session", async () => {
    const [mine, theirs] = [await signedIn(target, someone()), await signedIn(target, someone())];
    const { id } = (await theirs.get("/session")).json;
    expectStatus(await mine.post("/sessions/end", { form: { id } }), 303, 404);
    expect((await theirs.get("/session")).status).toBe(200);
    expectStatus(await (await guest(target)).post("/sessions/end", { form: { id } }), 401);
    expect((await theirs.get("/session")).status).toBe(200);
  });

  test("section 5: POST /cart by form adds the quantity", async () => {
    const client = visitor(target);
    for (const quantity of ["2", "3"]) expectBack(await client.post("/cart", { form: { sku: "tea", quantity } }));
    expect((await client.get("/cart")).json).toEqual({ cart: { tea: 5 } });
  });

  test("section 5: a form that lacks a field, or has it twice, or holds no number: 422, nothing saved", async () => {
    const client = await guest(target);
    const refused = [
      "",
      "value=x",
      "quantity=1",
      "sku=tea",
      "sku=tea&quantity=",
      "sku=tea&quantity=many",
      "sku=tea&quantity=1&quantity=2",
      "sku=&quantity=1",
    ];
    for (const form of refused) expectStatus(await client.post("/cart", { form }), 422);
    for (const form of ["", "value=x", "value[x]=1", "key=a&key=b&value=c"])
      expectStatus(await client.post("/session/data", { form }), 422);
    for (const form of ["", `userid=${someone()}`, "password=demo"])
      expectStatus(await client.post("/login", { form }), 422);
    expect((await client.get("/session")).json).toMatchObject({ userid: null, data: { guest: true } });
    expect(Object.keys((await client.get("/session")).json.data)).toEqual(["guest"]);
  });
}

function expectBack(response: HttpResponse): void {
  expectStatus(response, 303);
  expect(response.headers.location).toBe("/");
}
