// 10,000 live sessions are copied to another store while the app serves, and the copier is killed and interrupted: nobody is signed out.
// Change ROUTES to copy between other stores.
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes, randomInt } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, test } from "vitest";
import type { SessionDriver } from "../../runtime/src/session/contract.ts";
import { repository } from "../../scripts/packs.ts";
import { fixtureOf } from "../drivers/fixtures.ts";
import { createRows, newRow } from "../drivers/rows.ts";
import { assemble, assembleMove } from "../http/assemble.ts";
import { Project } from "../http/project.ts";
import { server } from "../servers/server.ts";
import { until } from "./load.ts";

const ROUTES = [
  ["sqlite", "postgres"],
  ["postgres", "redis"],
  ["redis", "couchdb"],
] as const;
const SESSIONS = 10_000;
const CLIENTS = 6;
const MINUTES = 60_000;

const stops: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** Outside of the repository; it is removed when the test is over. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "copying-"));
  stops.push(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** What the store must hold of a session. */
interface Expected {
  id: string;
  token: string;
  userid: string | null;
  /** The number under the key n; 0 where there is none. */
  n: number;
}

interface Place {
  backend: string;
  url: string;
  environment: Record<string, string>;
  driver: SessionDriver;
}

/** A store of its own for this test. */
async function place(backend: string, skip: () => void): Promise<Place> {
  const unique = `copy_${randomBytes(6).toString("hex")}`;
  const fixture = await fixtureOf(backend);
  const running = fixture.server && (await server(fixture.server));
  if (fixture.server && !running) skip();
  const environment: Record<string, string> = fixture.environment(running ? running.url : undefined, unique);
  if (backend === "sqlite") {
    environment.SQLITE_FILE = join(temporaryFolder(), "sessions.db");
  } else {
    const store = await fixture.open(running ? running.url : undefined, unique);
    stops.push(() => store.cleanUp());
  }
  const url = backend === "sqlite" ? `sqlite:${environment.SQLITE_FILE}` : running ? running.url : "";
  const pack = join(repository, "templates/backends", backend, "files/src/store");
  const { createDriver } = await import(join(pack, "driver.ts"));
  const { readStoreSettings } = await import(join(pack, "settings.ts"));
  const { Environment } = await import(join(repository, "templates/base/files/src/http/environment.ts"));
  const driver: SessionDriver = createDriver(readStoreSettings(new Environment(environment)), 30_000);
  stops.push(() => driver.close());
  await driver.setup();
  return { backend, url, environment, driver };
}

/** Stores sessions as if they had been started a while ago. */
async function seed(driver: SessionDriver): Promise<Expected[]> {
  const now = Math.floor(Date.now() / 1000);
  const sessions = Array.from({ length: SESSIONS }, (_, index) => {
    const bytes = randomBytes(48);
    const id = bytes.subarray(0, 16).toString("base64url");
    const userid = index % 3 === 0 ? null : `user ${index % 500}`;
    const updated = now - randomInt(3600);
    const data = JSON.stringify({ n: index, name: "Zoë", ["__proto__"]: { deep: [index, null, "é"] } });
    const secretHash = new Uint8Array(secretOf(bytes.toString("base64url")));
    const row = newRow({ id, secretHash, userid, created: updated - 60, updated, idle: 86_400, data });
    return { row, expected: { id, token: bytes.toString("base64url"), userid, n: index } };
  });
  await createRows(
    driver,
    sessions.map(({ row }) => row),
  );
  return sessions.map(({ expected }) => expected);
}

/** The SHA-256 of a token's secret. */
function secretOf(token: string): Buffer {
  return createHash("sha256").update(Buffer.from(token, "base64url").subarray(16)).digest();
}

/** Clients that write, sign in, sign out and start sessions, and know what must be true afterwards. */
class Load {
  readonly #app: Project;
  readonly alive: Map<string, Expected>;
  /** Sessions that a client has used. */
  readonly used = new Set<string>();
  /** Tokens of sessions that were ended, and those before a renewal. */
  readonly dead: string[] = [];
  readonly surprises: string[] = [];
  readonly requests = { write: 0, signIn: 0, signOut: 0, start: 0 };
  #stopped = false;
  #running: Promise<unknown> | undefined;

  constructor(app: Project, sessions: readonly Expected[]) {
    this.#app = app;
    this.alive = new Map(sessions.map((session) => [session.id, session]));
  }

  start(): void {
    const ids = [...this.alive.keys()];
    const share = (client: number) => ids.filter((_, index) => index % CLIENTS === client);
    this.#running = Promise.all(Array.from({ length: CLIENTS }, (_, client) => this.#client(share(client))));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #client(ids: string[]): Promise<void> {
    while (!this.#stopped) {
      const kind = randomInt(10);
      if (kind === 0) ids.push(await this.started());
      else {
        const at = randomInt(ids.length);
        const id = ids[at] as string;
        if (kind === 1) ids.splice(at, 1);
        await (kind === 1 ? this.signOut(id) : kind === 2 ? this.signIn(id) : this.write(id));
      }
    }
  }

  async write(id: string): Promise<void> {
    const session = this.#use(id);
    const n = session.n + 1;
    await this.#send("PUT", "/session/data/n", session.token, { value: n }, 200);
    session.n = n;
    this.requests.write++;
  }

  async signIn(id: string): Promise<void> {
    const session = this.#use(id);
    const userid = `user ${randomInt(500)}`;
    const { token } = await this.#send("POST", "/login", session.token, { userid, password: "demo" }, 200);
    this.dead.push(session.token);
    // The example drops what another user has left behind.
    if (session.userid !== null && session.userid !== userid) session.n = 0;
    Object.assign(session, { token, userid });
    this.requests.signIn++;
  }

  async signOut(id: string): Promise<void> {
    const session = this.#use(id);
    await this.#send("DELETE", "/session", session.token, undefined, 204);
    this.alive.delete(id);
    this.dead.push(session.token);
    this.requests.signOut++;
  }

  async started(): Promise<string> {
    const { token, id } = (await this.#send("POST", "/session", undefined, {}, 201)) as { token: string; id: string };
    this.alive.set(id, { id, token, userid: null, n: 0 });
    await this.write(id);
    this.requests.start++;
    return id;
  }

  /** What a client sees of its session. */
  async look(token: string): Promise<{ status: number; userid?: string | null; n?: number }> {
    const response = await fetch(`${this.#app.url}/session`, { headers: { authorization: `Bearer ${token}` } });
    const body = (await response.json()) as { userid?: string | null; data?: { n?: number } };
    if (response.status !== 200) return { status: response.status };
    return { status: 200, userid: body.userid ?? null, n: body.data?.n ?? 0 };
  }

  #use(id: string): Expected {
    this.used.add(id);
    return this.alive.get(id) as Expected;
  }

  async #send(
    method: string,
    path: string,
    token: string | undefined,
    body: unknown,
    status: number,
  ): Promise<Record<string, unknown>> {
    const headers = {
      "content-type": "application/json",
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    };
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
    const response = await fetch(this.#app.url + path, init);
    const answer = await response.text();
    if (response.status !== status) this.surprises.push(`${method} ${path}: ${response.status} ${answer}`);
    return answer === "" ? {} : JSON.parse(answer);
  }
}

/** `npm run sessions -- copy` in the project that has both stores. */
class Copying {
  readonly #folder: string;
  readonly #from: Place;
  readonly #to: Place;

  constructor(folder: string, from: Place, to: Place) {
    this.#folder = folder;
    this.#from = from;
    this.#to = to;
  }

  #spawn(): ChildProcess {
    const args = ["src/cli/sessions.ts", "copy", "--from", this.#from.url, "--to", this.#to.url, "--json"];
    const env = { PATH: process.env.PATH ?? "", ...this.#from.environment, ...this.#to.environment };
    return spawn(process.execPath, args, { cwd: this.#folder, env, stdio: ["ignore", "pipe", "pipe"] });
  }

  async run(): Promise<Record<string, unknown>> {
    const child = this.#spawn();
    const [stdout, stderr, code] = await Promise.all([
      text(child.stdout as NodeJS.ReadableStream),
      text(child.stderr as NodeJS.ReadableStream),
      new Promise((resolve) => child.once("close", resolve)),
    ]);
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout);
  }

  /** Ends it by a signal when it remembers that many sessions. */
  async killedAt(sessions: number, signal: NodeJS.Signals): Promise<void> {
    const child = this.#spawn();
    const ended = new Promise((resolve) => child.once("close", (_, endedBy) => resolve(endedBy)));
    await until(() => child.exitCode !== null || this.#remembered() >= sessions);
    child.kill(signal);
    expect(await ended).toBe(signal);
  }

  #remembered(): number {
    const file = join(this.#folder, "data/copied-sessions.txt");
    return existsSync(file)
      ? new Set(
          readFileSync(file, "utf8")
            .split("\n")
            .map((line) => line.slice(0, 22)),
        ).size
      : 0;
  }
}

describe.each(ROUTES)("from %s to %s", (fromBackend, toBackend) => {
  test("L6: 10,000 live sessions under load, the copier killed, and interrupted as by Ctrl-C: none lost, none doubled, none revived, nobody signed out", {
    timeout: 15 * MINUTES,
  }, async ({ skip }) => {
    const [from, to] = [await place(fromBackend, skip), await place(toBackend, skip)];
    const sessions = await seed(from.driver);
    const before = new Project(
      await assemble({ framework: "express", backend: fromBackend }, "copying"),
      from.environment,
    );
    stops.push(() => before.stop());
    await before.start();
    const folder = temporaryFolder();
    await assembleMove({ framework: "express", backend: toBackend }, fromBackend, folder);
    const copying = new Copying(folder, from, to);

    const load = new Load(before, sessions);
    load.start();
    await copying.killedAt(2500, "SIGKILL");
    await copying.killedAt(6000, "SIGINT");
    const first = await copying.run();
    expect(first).toMatchObject({ agree: true, kept: 0, ended: 0, refused: 0, missing: 0 });
    expect(await copying.run()).toMatchObject({ agree: true, copied: expect.any(Number), kept: 0, ended: 0 });
    await load.stop();
    await before.stop();
    expect(load.surprises).toEqual([]);
    for (const count of Object.values(load.requests)) expect(count).toBeGreaterThan(0);

    const last = await copying.run();
    const { size } = load.alive;
    expect(last).toMatchObject({ agree: true, source: size, target: size, kept: 0, ended: 0, gone: 0 });
    const listed: string[] = [];
    for await (const infos of to.driver.all(Math.floor(Date.now() / 1000))) listed.push(...infos.map(({ id }) => id));
    expect(listed.sort()).toEqual([...load.alive.keys()].sort());
    for (const [id, { token, userid, n }] of load.alive) {
      const row = await to.driver.read(id, { now: Math.floor(Date.now() / 1000) });
      const data = JSON.parse(row?.data ?? "{}");
      expect([Buffer.from(row?.secretHash ?? []), row?.userid, data.n ?? 0]).toEqual([secretOf(token), userid, n]);
    }

    const after = new Project(folder, to.environment);
    stops.push(() => after.stop());
    await after.start();
    const use = new Load(after, [...load.alive.values()]);
    for (const id of [...load.used].filter((id) => load.alive.has(id)).slice(0, 500)) {
      const { token, userid, n } = load.alive.get(id) as Expected;
      expect(await use.look(token)).toEqual({ status: 200, userid, n });
    }
    for (const token of load.dead.slice(0, 500)) expect(await use.look(token)).toEqual({ status: 404 });

    // The app is in use with the new store: another pass changes nothing there.
    const [ids, ends] = [[...use.alive.keys()].slice(0, 20), [...use.alive.keys()].slice(20, 30)];
    for (const id of ids) await use.write(id);
    for (const id of ids.slice(10)) await use.signIn(id);
    for (const id of ends) await use.signOut(id);
    ids.push(await use.started());
    expect(use.surprises).toEqual([]);
    expect(await copying.run()).toMatchObject({
      agree: true,
      source: size,
      ended: 10,
      copied: 0,
      changed: 0,
      target: size - 9,
    });
    for (const id of ids) {
      const { token, userid, n } = use.alive.get(id) as Expected;
      expect(await use.look(token)).toEqual({ status: 200, userid, n });
    }
    for (const token of use.dead) expect(await use.look(token)).toEqual({ status: 404 });
    console.log(`${fromBackend} to ${toBackend}:`, load.requests, { first, last });
  });
});
