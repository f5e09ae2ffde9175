// The app's own routes.
// Replace it together with the sample in src/routes.ts.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Running, startApp, Visitor } from "./app.ts";
import { cleanUp } from "./store.ts";

let app: Running;

before(async () => {
  app = await startApp();
});

after(async () => {
  await app?.stop();
  await cleanUp();
});

test("visits are counted for each visitor", async () => {
  const [one, other] = [new Visitor(app), new Visitor(app)];
  assert.deepEqual(await one.json("GET", "/visits"), { visits: 1 });
  assert.deepEqual(await one.json("GET", "/visits"), { visits: 2 });
  assert.deepEqual(await other.json("GET", "/visits"), { visits: 1 });
});

test("visits at the same time all count", async () => {
  const visitor = new Visitor(app);
  await visitor.json("GET", "/visits");
  await Promise.all(Array.from({ length: 9 }, () => visitor.json("GET", "/visits")));
  assert.deepEqual(await visitor.json("GET", "/visits"), { visits: 11 });
});
