// `npm run sessions`, run as from a shell beside an app that uses the same store.
// Add a test for every command that you add to src/cli/commands.ts.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { environmentWith, type Running, startProbe, Visitor } from "./app.ts";
import { cleanUp } from "./store.ts";

const CLI = fileURLToPath(new URL("../src/cli/sessions.ts", import.meta.url));
const IN_PROCESS = "no other process can see them";

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

function cli(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [CLI, ...args], { env: environmentWith() }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
    child.stdin?.end();
  });
}

let probe: Running;

before(async () => {
  probe = await startProbe();
});

after(async () => {
  await probe?.stop();
  await cleanUp();
});

async function signedIn(userid: string): Promise<{ id: string; token: string }> {
  const visitor = new Visitor(probe);
  await visitor.json("POST", `/signIn/${userid}`);
  const { id } = await visitor.json<{ id: string }>("POST", "/look/-");
  return { id, token: visitor.cookie.slice(-64) };
}

async function liveIds(userid: string): Promise<string[]> {
  return (await probe.sessions.list(userid)).map(({ id }) => id);
}

test("sessions are listed, shown and ended from the shell", async (t) => {
  if ((await cli("stats")).stderr.includes(IN_PROCESS)) return t.skip("this store lives in the app's process");
  const [laptop, telephone] = [await signedIn("barbara"), await signedIn("barbara")];

  const listed = await cli("list", "--user", "barbara", "--json");
  assert.equal(listed.code, 0, listed.stderr);
  const list = JSON.parse(listed.stdout) as { id: string; userid: string }[];
  assert.deepEqual(list.map(({ id }) => id).sort(), [laptop.id, telephone.id].sort());
  assert.match((await cli("list")).stdout, new RegExp(`^${laptop.id} +barbara`, "m"));

  const shown = await cli("show", laptop.id, "--json");
  assert.equal(shown.code, 0, shown.stderr);
  assert.equal(JSON.parse(shown.stdout).userid, "barbara");
  assert.match((await cli("show", laptop.id)).stdout, /^userid +barbara$/m);
  for (const { stdout } of [listed, shown]) {
    assert.ok(!stdout.includes(laptop.token.slice(22)) && !/secret/i.test(stdout), "no secret is ever printed");
  }

  assert.equal((await cli("revoke", laptop.id)).code, 0);
  assert.equal((await cli("revoke", laptop.id)).code, 1);
  assert.deepEqual(await liveIds("barbara"), [telephone.id]);
  assert.deepEqual(JSON.parse((await cli("revoke", "--user", "barbara", "--json")).stdout), { ended: 1 });
  assert.deepEqual(await liveIds("barbara"), []);
});

test("everybody is signed out only with --yes, or after a yes on the terminal", async () => {
  const { code, stderr } = await cli("revoke", "--all");
  assert.equal(code, 2);
  assert.match(stderr, /--yes/);
});

for (const [args, expected] of [
  [[], /^Which command\?/],
  [["lost"], /^Unknown command "lost"/],
  [["list", "--colour"], /--help/],
  [["list", "more"], /^Unexpected argument "more"/],
  [["list", "--all"], /^--all works with revoke only/],
  [["list", "--user", ""], /^--user <id> must not be empty/],
  [["stats", "--user", "ada"], /^--user <id> works with list and revoke only/],
  [["show"], /^show needs a session's ID/],
  [["show", "short"], /^"short" is not a session's ID/],
  [["revoke"], /^revoke needs a session's ID, --user <id> or --all/],
  [["revoke", "--user", "ada", "--all"], /^revoke takes only one of/],
] as const) {
  test(`"sessions ${args.join(" ")}" is wrong usage: exit code 2 and one line`, async () => {
    const { code, stderr } = await cli(...args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, expected);
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
  });
}
