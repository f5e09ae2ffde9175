// A project that can't use its store: it waits, then ends with 1 and one line that names the setting, for each thing that may be wrong.
// Nothing to change here for a new backend: what may be wrong with it is listed in its conformance.ts.

import { execFile } from "node:child_process";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { packs } from "../../scripts/packs.ts";
import { assemble } from "../http/assemble.ts";
import { freePorts } from "../servers/machine.ts";
import { server } from "../servers/server.ts";
import { fixtureOf } from "./fixtures.ts";

interface Ended {
  code: unknown;
  stdout: string;
  lines: string[];
}

const PASSWORD = "s3cret-pass-word";
const USER = `u_${process.pid}`;

const fixtures = await Promise.all(
  packs("backends").map(async (backend) => ({ backend, fixture: await fixtureOf(backend) })),
);

describe.each(fixtures)("a project with $backend", ({ backend, fixture: { server: name, starts } }) => {
  let folder = "";
  let url: URL | undefined;
  let remove: (() => Promise<void>) | undefined;

  beforeAll(async () => {
    const its = name && starts && (await server(name));
    if (!its) return;
    url = new URL(its.url);
    folder = await assemble({ framework: "node", backend }, "starts");
    remove = await starts.withoutRights(url, USER, PASSWORD);
  }, 120_000);

  beforeEach((context) => context.skip(url === undefined, `no ${name} server here`));

  afterAll(async () => await remove?.());

  function start(variables: Record<string, string>): Promise<Ended> {
    const { PATH = "", HOME = "" } = process.env;
    const limits = { PORT: "0", SESSION_START_TIMEOUT: "1", SESSION_STORE_TIMEOUT: "2000" };
    const options = { cwd: folder, env: { PATH, HOME, ...limits, ...variables } };
    return new Promise((resolve) => {
      execFile(process.execPath, ["src/main.ts"], options, (error, stdout, stderr) => {
        resolve({ code: error?.code, stdout, lines: stderr.trimEnd().split("\n") });
      });
    });
  }

  if (starts === undefined) test.skip("F3, P3: its conformance.ts lists nothing that may be wrong");

  test.each(starts?.wrong ?? [])(
    "F3, P3: a wrong start ($what) ends with 1 and a line that names the setting",
    async ({ variables, line }) => {
      const [freePort = 0] = await freePorts(1);
      const right = url as URL;
      const given = { url: right, freePort, user: USER, password: PASSWORD };
      const ended = await start({ ...starts?.variables(right), ...variables(given) });
      expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code: 1, stdout: "" });
      expect(ended.lines.at(-1)).toMatch(line);
      for (const tried of ended.lines.slice(0, -1)) {
        expect(tried).toMatch(/\. Trying again …$|"event":"session\.storeDown"/);
      }
      for (const secret of [PASSWORD, right.password].filter(Boolean)) expect(ended.lines.join()).not.toContain(secret);
    },
  );
});
