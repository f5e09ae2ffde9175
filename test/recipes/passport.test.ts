// Passport on generated sessions, in each framework that has one: sign-in by name and password.
import { expect, test } from "vitest";
import { Client } from "./client.ts";
import { readPages } from "./page.ts";
import { followRecipe, start } from "./project.ts";
import { expectSignInOf, expectVisitorsLeftAlone } from "./sign-in.ts";

const passports = [
  { page: "passport", framework: "express" },
  { page: "fastify-passport", framework: "fastify" },
  { page: "koa-passport", framework: "koa" },
].filter(({ page }) => readPages().some(({ name }) => name === page));

test.each(passports)(
  "S5 S13 S15 S22 S25: $page signs in and out, and its users are in the device list",
  async (recipe) => {
    const { url, output } = await start(await followRecipe(recipe));
    await expectVisitorsLeftAlone(url);
    await expectSignInOf(url);
    expect(output()).not.toMatch(/warning/i);
  },
);

test.each(passports)(
  "S13 S16 S22 C13: without the example, $page signs in the users of the passwords recipe, within its limits",
  async (recipe) => {
    const pages = { ...recipe, page: "passwords", with: [recipe.page] };
    const project = await followRecipe({ ...pages, backend: "sqlite", minimal: true });
    const { url } = await start(project, { SESSION_TRUST_PROXY: "127.0.0.1, ::1" });
    const ada = { userid: "ada", username: "ada", password: "correct horse battery" };
    await new Client(url).post("/register", ada);
    const browser = new Client(url);
    expect((await browser.post("/passport/login", ada)).json).toEqual({ user: { id: "ada" } });
    expect((await browser.get("/passport/me")).json).toEqual({ user: { id: "ada" } });
    // They come from one address, with sessions that were begun at six.
    const from = (address: string) => ({ "x-forwarded-for": address });
    const attempts = Array.from({ length: 6 }, async (_, index) => {
      const client = new Client(url);
      await client.get("/visits", from(`198.51.100.${index}`));
      expect(client.cookie).not.toBe("");
      return client.post("/passport/login", { ...ada, password: "wrong" }, from("192.0.2.1"));
    });
    expect((await Promise.all(attempts)).map(({ status }) => status).sort()).toEqual([401, 401, 401, 401, 401, 429]);
  },
);
