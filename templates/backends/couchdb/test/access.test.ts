// Who may do what in CouchDB, lockouts, and how many copies a database keeps.
// Change it when the driver needs another permission; the README lists them.

import { describe, expect, test } from "vitest";
import { StoreUnavailable } from "../../../../runtime/src/session/contract.ts";
import { failure } from "../../../../test/drivers/broken.ts";
import { START } from "../../../../test/drivers/rows.ts";
import { waitFor } from "../../../../test/drivers/waiting.ts";
import type { StoreSettings } from "../files/src/store/settings.ts";
import { collectWarnings, expectRefusal, open, SharedServer } from "./support.ts";

/** CouchDB 3.4 and newer lock a user out after so many. */
const FAILED_LOGINS = 5;

describe("couchdb access", () => {
  const shared = new SharedServer();

  test("F3: a wrong password, an unknown user and no user name their settings", async () => {
    await open(shared.settings()).setup();
    // A user for each, since four calls with a wrong password are close to a lockout.
    const wrong = { password: "not-the-password" };
    await expectRefusal(
      { ...(await shared.newUser()), ...wrong },
      /^COUCHDB_USER or COUCHDB_PASSWORD: .* refuses user "user-/,
    );
    await expectRefusal({ ...(await shared.newUser()), ...wrong, fromUrl: true }, /^COUCHDB_URL: .* refuses user "/);
    const nobody = shared.settings({ ...wrong, user: "nobody-here", fromUrl: false });
    await expectRefusal(nobody, /^COUCHDB_USER or COUCHDB_PASSWORD: .* refuses user "nobody-here"/);
    await expectRefusal({ ...nobody, user: "" }, /^COUCHDB_USER or COUCHDB_PASSWORD: .* refuses user ""/);
  });

  test("F3: a missing database names its setting", async () => {
    const driver = open(shared.settings());
    const works = [driver.check(), driver.read("x", { now: START }), driver.ping()];
    for (const error of await Promise.all(works.map(failure))) {
      expect(error).toBeInstanceOf(StoreUnavailable);
      expect(error.message).toMatch(new RegExp(`^COUCHDB_DATABASE: there is no database "${shared.database}"`));
    }
  });

  test("P6, F11: a user who may not create the database, or its design document, is told of the permission", async () => {
    const outsider = await shared.newUser();
    const denied =
      /^COUCHDB_USER: CouchDB at .* denies user "user-[^\n]*" a permission \(You are not a [^\n]* admin\)$/;
    expect((await failure(open(outsider).setup())).message).toMatch(denied);
    await shared.ask("", "PUT");
    const member = await shared.newUser("members");
    expect((await failure(open(member).setup())).message).toMatch(denied);
    expect((await failure(open(outsider).ping())).message).toMatch(/^COUCHDB_USER: .* denies user "user-/);
  });

  test("F11: a database that refuses the app's documents stops the start with its reason", async () => {
    await open(shared.settings()).setup();
    const refuse = "function () { throw({ forbidden: 'sessions are closed' }); }";
    await shared.ask("/_design/strict", "PUT", { validate_doc_update: refuse });
    const error = await failure(open(shared.settings()).check());
    expect(error.message).toMatch(/^COUCHDB_URL: .* denies user "[^"]*" a permission \(sessions are closed\)$/);
  });

  async function failLogins(user: StoreSettings): Promise<number> {
    const authorization = `Basic ${btoa(`${user.user}:wrong`)}`;
    let status = 0;
    for (let attempt = 0; attempt <= FAILED_LOGINS; attempt++) {
      status = (await fetch(`${user.url}/${user.database}`, { headers: { authorization } })).status;
    }
    return status;
  }

  test("F11: a user who is locked out is told so, and for how long, with the right password too", async (context) => {
    await open(shared.settings()).setup();
    const user = await shared.newUser("members");
    await open(user).check();
    context.skip((await failLogins(user)) !== 403, "this CouchDB locks nobody out");
    const line = /^COUCHDB_USER or COUCHDB_PASSWORD: .* has locked user "user-[^"]*" out after .*, for five minutes/;
    await expectRefusal(user, line);
    await expectRefusal({ ...user, password: "not-the-password" }, line);
    await expectRefusal({ ...user, fromUrl: true }, /^COUCHDB_URL: .* has locked user "/);
    await open(shared.settings()).ping();
  });

  test("F7, F11: the driver creates its database with one copy of each document, and starts without a word", async () => {
    const warnings = collectWarnings();
    await open(shared.settings()).setup();
    const { cluster } = (await shared.ask("")) as { cluster?: { n: number } };
    expect(cluster?.n).toBe(1);
    await new Promise(setImmediate);
    expect(warnings).toEqual([]);
  });

  test("F7, F11: a database with several copies of each document is named at the start", async (context) => {
    await shared.ask("?n=3", "PUT");
    const { cluster } = (await shared.ask("")) as { cluster?: { n: number } };
    context.skip(cluster?.n !== 3, "this CouchDB is a single node");
    const warnings = collectWarnings();
    await open(shared.settings()).setup();
    await waitFor(() => warnings.length > 0);
    expect(warnings).toEqual([
      expect.stringMatching(/^CouchDB at [^\n]* keeps 3 copies of every document \(n=3\)[^\n]*$/),
    ]);
    await open(shared.settings()).check();
    await waitFor(() => warnings.length > 1);
  });
});
