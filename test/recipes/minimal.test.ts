// Every page in a project without the example: its places are there, and the result type-checks. How it runs is tested page by page.
// Change it when a page needs something that only the example has: the page then says where else it comes from.
import { expect, test } from "vitest";
import { packs } from "../../scripts/packs.ts";
import { readPages } from "./page.ts";
import { followRecipe } from "./project.ts";

/** Those that need src/authenticate.ts, which the page on passwords has; with it they are tested by passport.test.ts. */
const AUTHENTICATING = ["passport", "fastify-passport", "koa-passport"];
/** Those whose tests run them without the example. */
const TESTED_ELSEWHERE = ["passwords", "protected-routes", ...AUTHENTICATING];

const pages = readPages()
  .filter(({ create }) => create === undefined)
  .map(({ name, frameworks, versions }) => {
    const backend = "PgBouncer" in versions ? "postgres" : "memory";
    return { page: name, framework: frameworks[0] ?? "", backend, minimal: true };
  })
  // The others have a build of their own: what their pages generate goes into an app that is there.
  .filter(({ framework }) => packs("frameworks").includes(framework));

test.each(pages.filter(({ page }) => !TESTED_ELSEWHERE.includes(page)))(
  "C13: $page, with --minimal",
  async (recipe) => {
    await followRecipe(recipe);
  },
);

test("C13: the pages that need src/authenticate.ts say where else it comes from", () => {
  const needing = readPages().filter(({ blocks, create }) => {
    const own = blocks.some(({ file }) => file === "src/authenticate.ts");
    return create === undefined && !own && blocks.some(({ text }) => text.includes('"./authenticate.ts"'));
  });
  expect(needing.map(({ name }) => name).sort()).toEqual([...AUTHENTICATING].sort());
});
