// SIGTERM in every framework: running requests are finished, kept connections get their last response, and the start can be stopped too.
// Change it with the projects' src/http/lifecycle.ts.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { packs } from "../../scripts/packs.ts";
import { assemble } from "./assemble.ts";
import { Project } from "./project.ts";

/** Kept connections would end by themselves after 5 s, and by force after 8. */
const PROMPT_MS = 4_000;

const POLL = { timeout: 20_000 };
const BODY = '{"value":1}';
const GET = "GET /session HTTP/1.1\r\nHost: a\r\n";
const PUT = `PUT /session/data/a HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n`;

describe.each(packs("frameworks"))("%s", (framework) => {
  test("F4: SIGTERM: running requests are finished, a kept connection gets its response and ends, exit 0", async () => {
    const app = new Project(await assemble({ framework, backend: "memory" }, "shutdown"), { HOST: "127.0.0.1" });
    await app.start();
    const [running, kept, idle] = [await open(app), await open(app), await open(app)];
    running.socket.write(`${PUT}${BODY.slice(0, 4)}`);
    for (const { socket, received } of [kept, idle]) {
      socket.write(`${GET}\r\n`);
      await expect.poll(received, POLL).toMatch(/^HTTP\/1\.1 404 [\s\S]*"error"/);
    }
    // Its next request is on its way already.
    kept.socket.write(GET);
    await (await fetch(`${app.url}/health/live`, { headers: { connection: "close" } })).text();

    const from = performance.now();
    const stopped = app.stop();
    await expect
      .poll(
        () =>
          fetch(`${app.url}/health/live`).then(
            () => "accepts",
            () => "refuses",
          ),
        POLL,
      )
      .toBe("refuses");
    await idle.ended;
    kept.socket.write("\r\n");
    await kept.ended;
    const [, second = ""] = kept.received().split(/(?<=})(?=HTTP)/);
    expect(second).toMatch(/^HTTP\/1\.1 404 [\s\S]*"error"/);
    expect(second).toMatch(/^connection: close\r$/im);

    running.socket.write(BODY.slice(4));
    await running.ended;
    expect(running.received()).toMatch(/^HTTP\/1\.1 200 [\s\S]*{"data":{"a":1}}/);
    await stopped;
    expect(performance.now() - from).toBeLessThan(PROMPT_MS);
  });

  test("F4, F3: SIGTERM while the start waits for the store: exit 0 at once", async () => {
    const folder = await assemble({ framework, backend: "sqlite" }, "shutdown");
    // SQLite can't open a folder.
    const env = { PATH: process.env.PATH ?? "", PORT: "0", SQLITE_FILE: folder };
    const child = spawn(process.execPath, ["src/main.ts"], { cwd: folder, env, stdio: ["ignore", "ignore", "pipe"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    const exit = once(child, "exit");
    let output = "";
    child.stderr.on("data", (text) => {
      output += text;
    });
    await expect.poll(() => output, POLL).toContain("Trying again");
    child.kill("SIGTERM");
    expect(await exit).toEqual([0, null]);
  });
});

async function open({ url }: Project): Promise<{ socket: Socket; received: () => string; ended: Promise<unknown> }> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  let text = "";
  socket.setEncoding("utf8").on("data", (piece) => {
    text += piece;
  });
  const ended = once(socket, "close");
  await once(socket, "connect");
  return { socket, received: () => text, ended };
}
