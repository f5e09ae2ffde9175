// CSRF tokens that are kept in the session.
import { expect, test } from "vitest";
import { Client } from "./client.ts";
import { followRecipe, start } from "./project.ts";

test("S17 S25: csrf-sync's token lasts, and nobody else's is taken", async () => {
  const { url } = await start(await followRecipe({ page: "csrf", framework: "express" }));
  const [browser, other] = [new Client(url), new Client(url)];
  const { token } = (await browser.get("/csrf")).json;
  expect((await browser.get("/csrf")).json.token).toBe(token);
  const foreign = (await other.get("/csrf")).json.token;
  expect((await browser.form("/transfer", { amount: "5" })).status).toBe(403);
  expect((await browser.form("/transfer", { amount: "5", _csrf: foreign })).status).toBe(403);
  expect((await browser.form("/transfer", { amount: "5", _csrf: token })).json).toEqual({ transferred: "5" });
  expect((await browser.post("/transfer", { amount: 6 }, { "x-csrf-token": token })).json).toEqual({ transferred: 6 });
});
