// `npm run sessions`, run as from a shell while the app is running.
// Add a test for every command that you add to src/cli/sessions.ts.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type App, environmentWith, startApp, Visitor } from "./app.ts";
import { cleanUp } from "./store.ts";

const CLI = fileURLToPath(new URL("../src/cli/sessions.ts", import.meta.url));

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

function sessions(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [CLI, ...args], { env: environmentWith() }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
    child.stdin?.end();
  });
}

let app: App;

before(async () => {
  app = await startApp();
});

after(async () => {
  await app?.stop();
  await cleanUp();
});

test("sessions are listed, shown and ended from the shell", async (t) => {
  const { stderr } = await sessions("stats");
  if (stderr.includes("no other process can see them")) return t.skip("this store lives in the app's process");
  const [laptop, telephone] = [new Visitor(app), new Visitor(app)];
  for (const device of [laptop, telephone]) await device.signIn("barbara");
  const { id } = await laptop.json<{ id: string }>("GET", "/session");

  const listed = await sessions("list", "--user", "barbara", "--json");
  assert.equal(listed.code, 0, listed.stderr);
  const list = JSON.parse(listed.stdout) as { id: string; userid: string }[];
  assert.equal(list.length, 2);
  assert.ok(list.some((session) => session.id === id && session.userid === "barbara"));
  assert.match((await sessions("show", id)).stdout, /^userid +barbara$/m);
  assert.match((await sessions("list")).stdout, new RegExp(`^${id} +barbara`, "m"));

  assert.equal((await sessions("revoke", id)).code, 0);
  assert.equal((await sessions("revoke", id)).code, 1);
  assert.deepEqual([await laptop.status(), await telephone.status()], [404, 200]);
  assert.deepEqual(JSON.parse((await sessions("revoke", "--user", "barbara", "--json")).stdout), { ended: 1 });
  assert.equal(await telephone.status(), 404);
});

test("no secret is ever printed", async (t) => {
  const visitor = new Visitor(app);
  await visitor.signIn("whitfield");
  const { id } = await visitor.json<{ id: string }>("GET", "/session");
  const secret = visitor.cookie.slice(-43);
  const shown = await sessions("show", id, "--json");
  if (shown.stderr.includes("no other process can see them")) return t.skip("this store lives in the app's process");
  assert.equal(shown.code, 0, shown.stderr);
  assert.ok(!shown.stdout.includes(secret) && !/secret/i.test(shown.stdout));
});

test("everybody is signed out only with --yes, or with an answer", async () => {
  const { code, stderr } = await sessions("revoke", "--all");
  assert.equal(code, 2);
  assert.match(stderr, /--yes/);
});

test("wrong usage is exit code 2 and one line", async () => {
  const wrong = [[], ["lost"], ["list", "--colour"], ["list", "more"], ["show"], ["show", "short"], ["revoke"]];
  for (const args of wrong) {
    const { code, stderr } = await sessions(...args);
    assert.equal(code, 2, `${args.join(" ")}: ${stderr}`);
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
  }
});
