// A project that can't use its store: it waits, then ends with 1 and one line that names the setting, for each thing that may be wrong.
// Change it when a store gets a setting that people get wrong.

import { execFile } from "node:child_process";
import { createConnection } from "mysql2/promise";
import { Client } from "pg";
import { createClient } from "redis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { assemble } from "../http/assemble.ts";
import { freePorts } from "../servers/machine.ts";
import { server } from "../servers/server.ts";

type Variables = Record<string, string>;

interface Ended {
  code: unknown;
  stdout: string;
  lines: string[];
}

interface Store {
  backend: string;
  server: "postgres" | "mariadb" | "redis";
  /** The variables of a start that works, for the server at `url`. */
  variables(url: URL): Variables;
  /** Makes a user who may sign in and no more; returns what removes it. */
  withoutRights(url: URL, user: string, password: string): Promise<() => Promise<void>>;
  /** What goes wrong, by which variables, and the last line. */
  wrong: [what: string, change: (right: URL, free: number) => Variables, line: RegExp][];
}

const PASSWORD = "s3cret-pass-word";
const USER = `u_${process.pid}`;

function changed(url: URL, change: (url: URL) => void): Variables {
  const next = new URL(url);
  change(next);
  return { REDIS_URL: next.href };
}

async function postgres(url: URL, ...statements: string[]): Promise<void> {
  const client = new Client({ connectionString: url.href });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

async function mysql(url: URL, ...statements: string[]): Promise<void> {
  const connection = await createConnection({ uri: url.href });
  for (const statement of statements) await connection.query(statement);
  await connection.end();
}

async function redis(url: URL, ...words: string[]): Promise<void> {
  const client = await createClient({ url: url.href }).connect();
  await client.sendCommand(words);
  client.destroy();
}

const stores: Store[] = [
  {
    backend: "postgres",
    server: "postgres",
    variables: ({ hostname, port, username, password, pathname }) => ({
      ...{ PGHOST: hostname, PGPORT: port, PGUSER: username, PGPASSWORD: password, PGDATABASE: pathname.slice(1) },
      SESSION_TABLE: `t_${process.pid}`,
    }),
    async withoutRights(url, user, password) {
      const create = `CREATE ROLE ${user} LOGIN PASSWORD '${password}'`;
      await postgres(url, create, "REVOKE CREATE ON SCHEMA public FROM PUBLIC");
      return () => postgres(url, `DROP ROLE ${user}`);
    },
    wrong: [
      ["password", () => ({ PGPASSWORD: PASSWORD }), /authentication failed.*; check PGUSER and PGPASSWORD\.$/],
      ["database", () => ({ PGDATABASE: "missing" }), /"missing" does not exist; check PGDATABASE\.$/],
      [
        "rights",
        () => ({ PGUSER: USER, PGPASSWORD: PASSWORD }),
        /permission denied.*check PGUSER and SESSION_TABLE\.$/,
      ],
      ["port", (_, free) => ({ PGPORT: `${free}` }), /ECONNREFUSED.*; check PGHOST and PGPORT\.$/],
      ["TLS", () => ({ PGSSLMODE: "verify-full" }), /SSL.*; check PGSSLMODE/],
    ],
  },
  {
    backend: "mysql",
    server: "mariadb",
    variables: ({ port, username, password, pathname }) => ({
      ...{ MYSQL_HOST: "localhost", MYSQL_PORT: port, MYSQL_USER: username, MYSQL_PASSWORD: password },
      ...{ MYSQL_DATABASE: pathname.slice(1), SESSION_TABLE: `t_${process.pid}` },
    }),
    async withoutRights(url, user, password) {
      const account = `${user}@'127.0.0.1'`;
      await mysql(url, `CREATE USER ${account} IDENTIFIED BY '${password}'`, `GRANT SELECT ON app.* TO ${account}`);
      return () => mysql(url, `DROP USER ${account}`);
    },
    wrong: [
      ["password", () => ({ MYSQL_PASSWORD: PASSWORD }), /^MYSQL_USER or MYSQL_PASSWORD: .*refuses user/],
      ["database", () => ({ MYSQL_DATABASE: "missing" }), /^MYSQL_DATABASE: .*"missing"/],
      ["rights", () => ({ MYSQL_USER: USER, MYSQL_PASSWORD: PASSWORD }), /^MYSQL_USER: .*lacks a permission/],
      ["port", (_, free) => ({ MYSQL_PORT: `${free}` }), /^MYSQL_HOST and MYSQL_PORT: nothing answers/],
      ["TLS", () => ({ MYSQL_TLS: "on" }), /^MYSQL_TLS: /],
    ],
  },
  {
    backend: "redis",
    server: "redis",
    variables: (url) => ({ REDIS_URL: url.href, REDIS_PREFIX: `t_${process.pid}` }),
    async withoutRights(url, user, password) {
      await redis(url, "ACL", "SETUSER", user, "reset", "on", `>${password}`, "~*", "+ping");
      return () => redis(url, "ACL", "DELUSER", user);
    },
    wrong: [
      ["password", (url) => changed(url, (its) => (its.password = PASSWORD)), /^REDIS_URL: .*refuses this user/],
      ["database", (url) => changed(url, (its) => (its.pathname = "/9999")), /^REDIS_URL: .*no such database/],
      [
        "rights",
        (url) =>
          changed(url, (its) => {
            its.username = USER;
            its.password = PASSWORD;
          }),
        /^REDIS_URL: .*denies the user a permission/,
      ],
      ["port", (url, free) => changed(url, (its) => (its.port = `${free}`)), /^REDIS_URL: nothing answers/],
      [
        "TLS",
        (url) => changed(url, (its) => (its.href = its.href.replace("redis:", "rediss:"))),
        /^REDIS_URL: no secure connection/,
      ],
    ],
  },
];

describe.each(stores)("a project with $backend", (store) => {
  let folder = "";
  let url: URL | undefined;
  let remove: (() => Promise<void>) | undefined;

  beforeAll(async () => {
    const its = await server(store.server);
    if (!its) return;
    url = new URL(its.url);
    folder = await assemble({ framework: "node", backend: store.backend }, "starts");
    remove = await store.withoutRights(url, USER, PASSWORD);
  }, 120_000);

  beforeEach((context) => context.skip(url === undefined, `no ${store.server} server here`));

  afterAll(async () => await remove?.());

  function start(variables: Variables): Promise<Ended> {
    const { PATH = "", HOME = "" } = process.env;
    const limits = { PORT: "0", SESSION_START_TIMEOUT: "1", SESSION_STORE_TIMEOUT: "2000" };
    const options = { cwd: folder, env: { PATH, HOME, ...limits, ...variables } };
    return new Promise((resolve) => {
      execFile(process.execPath, ["src/main.ts"], options, (error, stdout, stderr) => {
        resolve({ code: error?.code, stdout, lines: stderr.trimEnd().split("\n") });
      });
    });
  }

  test.each(store.wrong)(
    "F3, P3: a wrong start (%s) ends with 1 and a line that names the setting",
    async (_, change, line) => {
      const [free = 0] = await freePorts(1);
      const right = url as URL;
      const ended = await start({ ...store.variables(right), ...change(right, free) });
      expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code: 1, stdout: "" });
      expect(ended.lines.at(-1)).toMatch(line);
      for (const tried of ended.lines.slice(0, -1))
        expect(tried).toMatch(/\. Trying again …$|"event":"session\.storeDown"/);
      for (const secret of [PASSWORD, right.password]) expect(ended.lines.join()).not.toContain(secret);
    },
  );
});
