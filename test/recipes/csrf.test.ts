// CSRF tokens that are kept in the session.
import { expect, test } from "vitest";
import { Client } from "./client.ts";
import { followRecipe, start } from "./project.ts";

test.each([
  { page: "csrf", framework: "express" },
  { page: "koa-csrf", framework: "koa" },
])("S17 S25: a token of $page works again and again, and nobody else's does", async (recipe) => {
  const { url } = await start(await followRecipe(recipe));
  const [browser, other] = [new Client(url), new Client(url)];
  const { token } = (await browser.get("/csrf")).json;
  const foreign = (await other.get("/csrf")).json.token;
  expect((await browser.form("/transfer", { amount: "5" })).status).toBe(403);
  expect((await browser.form("/transfer", { amount: "5", _csrf: foreign })).status).toBe(403);
  expect((await browser.form("/transfer", { amount: "5", _csrf: token })).json).toEqual({ transferred: "5" });
  expect((await browser.post("/transfer", { amount: 6 }, { "x-csrf-token": token })).json).toEqual({ transferred: 6 });
});
