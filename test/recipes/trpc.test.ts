// tRPC's procedures on generated sessions, in each framework that has an adapter.
// Change it when the page gets another procedure.
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Client } from "./client.ts";
import { readPage } from "./page.ts";
import { followRecipe, start } from "./project.ts";

const ada = { userid: "ada", password: "demo" };
const evil = { origin: "https://evil.example" };

test.each(readPage("trpc").frameworks)(
  "S12 S17: tRPC's procedures in %s have the session, and what they write is saved",
  async (framework) => {
    const project = await followRecipe({ page: "trpc", framework });
    // A procedure of the reader's own, with an input.
    const file = join(project, "src/trpc.ts");
    const say = "t.router({\n  say: t.procedure.input(String).mutation(({ input }) => input),";
    writeFileSync(file, readFileSync(file, "utf8").replace("t.router({", say));
    const { url } = await start(project);
    const browser = new Client(url);
    expect((await browser.get("/trpc/me")).status).toBe(401);
    expect((await browser.get("/trpc/nothing")).status).toBe(404);
    expect((await browser.post("/trpc/say", "hello")).json.result.data).toBe("hello");
    // Nothing responds a second time, which would break the connection.
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    for (const reused of [false, true]) {
      const request = get(`${url}/trpc/nothing`, { agent });
      const [response] = await once(request, "response");
      await once(response.resume(), "end");
      expect(request.reusedSocket).toBe(reused);
    }
    expect(browser.cookie).toBe("");
    expect((await browser.post("/trpc/visit")).json.result.data).toBe(1);
    await browser.post("/login", ada);
    expect((await browser.get("/trpc/me")).json.result.data).toBe("ada");
    expect((await browser.post("/trpc/visit", {}, evil)).status).toBe(403);
    expect((await browser.post("/trpc/say", "x".repeat(300_000))).status).toBe(413);
    expect((await browser.get("/session")).json.data.visits).toBe(1);
  },
);
