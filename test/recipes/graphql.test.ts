// GraphQL's resolvers on generated sessions, in each framework that has an adapter.
// Change it when the page gets another resolver.
import { expect, test } from "vitest";
import { Client } from "./client.ts";
import { readPage } from "./page.ts";
import { followRecipe, start } from "./project.ts";

const ada = { userid: "ada", password: "demo" };
const evil = { origin: "https://evil.example" };

test.each(readPage("graphql").frameworks)(
  "S12 S17: GraphQL's resolvers in %s have the session, and what they write is saved",
  async (framework) => {
    const { url } = await start(await followRecipe({ page: "graphql", framework }));
    const browser = new Client(url);
    const ask = async (query: string) => (await browser.post("/graphql", { query })).json;
    expect((await ask("{ me }")).errors[0].message).toBe("Please sign in.");
    expect(browser.cookie).toBe("");
    expect(await ask("mutation { visit }")).toEqual({ data: { visit: 1 } });
    expect(await ask("mutation { visit }")).toEqual({ data: { visit: 2 } });
    await browser.post("/login", ada);
    expect(await ask("{ me }")).toEqual({ data: { me: "ada" } });
    expect((await browser.post("/graphql", { query: "mutation { visit }" }, evil)).status).toBe(403);
    const large = { query: `{ me } #${"x".repeat(300_000)}` };
    expect((await browser.post("/graphql", large)).status).toBe(413);
    expect((await browser.get("/session")).json.data.visits).toBe(2);
  },
);
