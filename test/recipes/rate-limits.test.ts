// Rate limits by session and by address, in every framework.
// Change it when the page's numbers or the paths that don't count change.
import { expect, test } from "vitest";
import { Client } from "./client.ts";
import { readPage } from "./page.ts";
import { BROKEN_LIMITS, followRecipe, run, start } from "./project.ts";

test.each(readPage("rate-limits").frameworks)(
  "S28: limits in %s count each session for itself, and visitors without one by their address",
  async (framework) => {
    const { url } = await start(await followRecipe({ page: "rate-limits", framework }));
    const busy = new Client(url);
    await busy.get("/visits");
    const statuses = async (client: Client, count: number) =>
      (await Promise.all(Array.from({ length: count }, () => client.get("/visits")))).map(({ status }) => status);
    const seen = await statuses(busy, 70);
    expect(seen.filter((status) => status === 200)).toHaveLength(60);
    const refused = await busy.get("/visits");
    expect([refused.status, refused.json]).toEqual([429, { error: "Too many requests. Please try again later." }]);
    const seconds = Number(refused.headers.get("retry-after"));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
    const other = new Client(url);
    expect((await other.get("/visits")).json).toEqual({ visits: 1 });
    expect((await other.get("/visits")).json).toEqual({ visits: 2 });
  },
);

test.each(readPage("rate-limits").frameworks)(
  "S28: visitors without a session in %s share their address's larger limit, which takes nothing from those with one",
  async (framework) => {
    const project = await followRecipe({ page: "rate-limits", framework });
    const { url } = await start(project, { SESSION_TRUST_PROXY: "127.0.0.1, ::1" });
    const from = (address: string) => ({ "x-forwarded-for": address });
    const member = new Client(url);
    await member.get("/visits", from("192.0.2.1"));
    const visits = Array.from({ length: 310 }, () => new Client(url).get("/session", from("192.0.2.1")));
    const statuses = (await Promise.all(visits)).map(({ status }) => status);
    // The member's first request was that of a visitor.
    expect(statuses.filter((status) => status === 404)).toHaveLength(299);
    expect(statuses.filter((status) => status === 429)).toHaveLength(11);
    expect((await new Client(url).get("/visits", from("192.0.2.1"))).status).toBe(429);
    expect((await new Client(url).get("/nothing/here", from("192.0.2.1"))).status).toBe(429);
    expect((await new Client(url).get("/visits", from("192.0.2.2"))).status).toBe(200);
    expect((await member.get("/visits", from("192.0.2.1"))).json).toEqual({ visits: 2 });
    for (const path of ["/health", "/health/live"]) {
      expect((await new Client(url).get(path, from("192.0.2.1"))).status).toBe(200);
    }
  },
);

test("S28: a limit that can't be counted is an error, which the log explains", async () => {
  const project = await followRecipe({
    page: "rate-limits",
    framework: "express",
    files: { "broken.mjs": BROKEN_LIMITS },
  });
  const env = { ...process.env, PORT: "0", NODE_ENV: "development" };
  const app = await run(project, ["--import", "./broken.mjs", "src/main.ts"], env);
  const { status, headers } = await new Client(app.url).get("/visits");
  expect([status, headers.get("retry-after")]).toEqual([500, null]);
  await app.printed(/the store of the limits is down/);
});
