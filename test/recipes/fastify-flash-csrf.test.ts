// Flash messages and CSRF tokens in Fastify's sessions.
import { expect, test } from "vitest";
import { Client } from "./client.ts";
import { followRecipe, start } from "./project.ts";

test("S12 S17 S25: @fastify/flash shows a message once, @fastify/csrf-protection takes its own tokens only", async () => {
  const { url } = await start(await followRecipe({ page: "fastify-flash-csrf", framework: "fastify" }));
  const [browser, other] = [new Client(url), new Client(url)];
  const { status, headers } = await browser.form("/subscribe", {});
  expect([status, headers.get("location")]).toEqual([303, "/messages"]);
  expect((await browser.get("/messages")).json).toEqual(["Thank you for subscribing."]);
  expect((await browser.get("/messages")).json).toEqual([]);

  const { token } = (await browser.get("/csrf")).json;
  const foreign = (await other.get("/csrf")).json.token;
  expect((await browser.form("/transfer", { amount: "5" })).status).toBe(403);
  expect((await browser.form("/transfer", { amount: "5", _csrf: foreign })).status).toBe(403);
  expect((await browser.form("/transfer", { amount: "5", _csrf: token })).json).toEqual({ transferred: "5" });
});
