// Flash messages: shown once, after the redirect.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Client } from "./client.ts";
import { followRecipe, start } from "./project.ts";

test.each(["connect-flash", "express-flash"])("S12 S25: a message of %s is shown once", async (name) => {
  const project = await followRecipe({ page: "flash", framework: "express" });
  const main = join(project, "src/main.ts");
  writeFileSync(main, readFileSync(main, "utf8").replace('"connect-flash"', JSON.stringify(name)));
  const { url } = await start(project);
  const browser = new Client(url);
  const { status, headers } = await browser.form("/subscribe", {});
  expect([status, headers.get("location")]).toEqual([303, "/messages"]);
  const [message] = (await browser.get("/messages")).json;
  expect(message.msg ?? message).toBe("Thank you for subscribing.");
  expect((await browser.get("/messages")).json).toEqual([]);
  expect((await new Client(url).get("/messages")).json).toEqual([]);
});
