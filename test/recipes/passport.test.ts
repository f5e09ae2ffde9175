// Passport on generated sessions, in each framework that has one: sign-in by name and password.
import { expect, test } from "vitest";
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
