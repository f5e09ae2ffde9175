// Counts what a request costs, on the wire: a proxy between the app and PostgreSQL reads the protocol's messages.
// Change the numbers only downwards.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Sessions } from "../../runtime/src/session/sessions.ts";
import { createDriver } from "../../templates/backends/postgres/files/src/store/driver.ts";
import { readStoreSettings } from "../../templates/backends/postgres/files/src/store/settings.ts";
import { Environment } from "../../templates/base/files/src/http/environment.ts";
import { server } from "../servers/server.ts";
import { defaults } from "./defaults.ts";
import { type App, Visitor, write } from "./visitor.ts";

/** Messages of a client, by the letter that they begin with: the protocol's Execute, Query, and Sync (which ends a round trip). */
const counted = { statements: 0, trips: 0 };

function count(socket: Socket): void {
  let rest = Buffer.alloc(0);
  let started = false;
  socket.on("data", (piece) => {
    rest = Buffer.concat([rest, piece]);
    for (;;) {
      // The first message has no letter.
      const head = started ? 1 : 0;
      if (rest.length < head + 4) return;
      const length = head + rest.readInt32BE(head);
      if (rest.length < length) return;
      const letter = started ? String.fromCharCode(rest[0] ?? 0) : "";
      if (letter === "E" || letter === "Q") counted.statements++;
      if (letter === "S" || letter === "Q") counted.trips++;
      started = true;
      rest = rest.subarray(length);
    }
  });
}

let app: App | undefined;
const proxy = createServer();

beforeAll(async () => {
  const postgres = await server("postgres");
  if (postgres === undefined) return;
  const url = new URL(postgres.url);
  const { hostname, port } = url;
  proxy.on("connection", (client) => {
    const upstream = connect(Number(port), hostname);
    count(client);
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) socket.on("error", () => {});
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  url.hostname = "127.0.0.1";
  url.port = String((proxy.address() as AddressInfo).port);
  const table = `trips_${process.pid}`;
  const driver = createDriver(
    readStoreSettings(new Environment({ DATABASE_URL: url.href, SESSION_TABLE: table })),
    5000,
  );
  const opened: App = {
    driver,
    nativeExpiry: false,
    events: [],
    now: Math.floor(Date.now() / 1000),
    sessions: new Sessions({ driver, settings: defaults, clock: () => opened.now * 1000 }),
    stored: () => Promise.reject(new Error("not asked for here")),
    another: () => Promise.reject(new Error("one is enough")),
  };
  app = opened;
  await app.sessions.ready("auto", 10, () => {});
});

afterAll(async () => {
  await app?.sessions.close();
  proxy.close();
});

test.for([
  [
    "an anonymous request",
    0,
    async (visitor: Visitor) => {
      visitor.cookie = undefined;
      await visitor.visit((session) => session.exists);
    },
  ],
  ["a request of a session that only reads", 1, (visitor: Visitor) => visitor.visit((session) => session.data)],
  [
    "one that reads, with a touch due",
    1,
    (visitor: Visitor, { now }: App) => {
      if (app) app.now = now + 61;
      return visitor.visit((session) => session.data);
    },
  ],
  ["one that writes", 2, (visitor: Visitor) => visitor.visit(write("key", Math.random()))],
  [
    "one that updates",
    2,
    (visitor: Visitor) =>
      visitor.visit((session) => session.update((data) => void Object.assign(data, { visits: Math.random() }))),
  ],
  ["a sign-in", 2, (visitor: Visitor) => visitor.visit((session) => session.signIn("ann"))],
  ["a sign-out", 2, (visitor: Visitor) => visitor.visit((session) => session.destroy())],
  [
    "a new session",
    1,
    (visitor: Visitor) => {
      visitor.cookie = undefined;
      return visitor.visit(write("key", 1));
    },
  ],
] as const)("S5 S6 S10: %s takes %i round trips", async ([_, expected, request], { skip }) => {
  if (app === undefined) return skip("there is no PostgreSQL here");
  const visitor = new Visitor(app);
  await visitor.visit(write("here", 1));
  await visitor.visit((session) => session.exists);
  Object.assign(counted, { statements: 0, trips: 0 });
  await request(visitor, app);
  expect(counted).toEqual({ statements: expected, trips: expected });
});
