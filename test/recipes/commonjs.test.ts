// Files of an old app in CommonJS: its routes serve as they are, and its store gives its sessions.
import { createHmac } from "node:crypto";
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { Client } from "./client.ts";
import { followRecipe, start } from "./project.ts";

const secret = "the old secret, long enough";

interface OldStore {
  set(id: string, session: object, done: (error?: unknown) => void): void;
}

test("S25 S29: routes in CommonJS go on as they are, and a store that needs express-session gives its sessions", async () => {
  const files = { "src/old-store.ts": 'export { oldStore } from "./old-store.cjs";\n' };
  const recipe = { page: "commonjs", framework: "express", with: ["adopt-express-session"], files };
  const project = await followRecipe(recipe);
  const folder = join(project, "old-sessions");
  mkdirSync(folder);
  process.env.OLD_SESSIONS = folder;
  const store = createRequire(join(project, "package.json"))("./src/old-store.cjs").oldStore() as OldStore;
  delete process.env.OLD_SESSIONS;
  const old = { cookie: { originalMaxAge: 60_000 }, passport: { user: "ada" }, views: 4 };
  await promisify(store.set.bind(store))("an-old-id", old);

  const { url } = await start(project, { OLD_SESSIONS: folder, OLD_SESSION_SECRET: secret });
  const browser = new Client(url);
  const signature = createHmac("sha256", secret).update("an-old-id").digest("base64").replace(/=+$/, "");
  browser.cookies.set("connect.sid", encodeURIComponent(`s:an-old-id.${signature}`));
  expect((await browser.get("/views")).json).toEqual({ user: "ada", views: 5 });
  expect([...browser.cookies.keys()]).toEqual(["session"]);
  expect((await browser.get("/views")).json).toEqual({ user: "ada", views: 6 });
  expect((await new Client(url).get("/views")).json).toEqual({ user: null, views: 1 });
});
