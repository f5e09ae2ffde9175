// The suite that every driver passes: it follows contract.ts, section by section. It knows no backend.
// Change it by adding a section (a file beside this one) when the contract grows.

import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe } from "vitest";
import type { SessionDriver } from "../../runtime/src/session/contract.ts";
import { administration } from "./administration.ts";
import { changes } from "./changes.ts";
import { data } from "./data.ts";
import { expiration } from "./expiration.ts";
import type { Capabilities, Fixture, OpenStore } from "./fixture.ts";
import { model } from "./model.ts";
import { endEverySession, START } from "./rows.ts";
import { setup } from "./setup.ts";
import { users } from "./users.ts";

/** What the sections work on. Valid while tests run. */
export interface Subject {
  readonly capabilities: Capabilities;
  /** Two instances on one store, which must behave as one; the same instance twice where stores aren't shared. */
  readonly a: SessionDriver;
  readonly b: SessionDriver;
  readonly store: OpenStore;
  /** A further store with nothing set up in it. The caller cleans it up. */
  open(): Promise<OpenStore>;
  /** Leaves the store without a session. */
  empty(): Promise<void>;
}

/** `connect` gives the server's URL (undefined for a backend without one), or says what is missing: then every test is skipped. */
export function conformance(title: string, fixture: Fixture, connect: () => Promise<Connection>): void {
  describe(title, () => {
    const { capabilities } = fixture;
    let missing: string | undefined;
    let url: string | undefined;
    let store: OpenStore | undefined;
    const drivers: SessionDriver[] = [];

    beforeAll(async () => {
      const connection = await connect();
      if ("missing" in connection) {
        missing = connection.missing;
        return;
      }
      url = connection.url;
      store = await fixture.open(url, newName());
      drivers.push(await store.driver());
      if (capabilities.sharedStore) drivers.push(await store.driver());
      await drivers[0]?.setup();
      await drivers.at(-1)?.check();
    }, 120_000);

    beforeEach((context) => context.skip(missing !== undefined, missing));

    afterAll(async () => {
      await Promise.all(drivers.map((driver) => driver.close()));
      await store?.cleanUp();
    }, 60_000);

    const subject: Subject = {
      capabilities,
      get a() {
        return there(drivers[0]);
      },
      get b() {
        return there(drivers.at(-1));
      },
      get store() {
        return there(store);
      },
      open: () => fixture.open(url, newName()),
      async empty() {
        await endEverySession(subject.a);
        while ((await subject.a.purge(START + 1e10, 1000)) > 0);
      },
    };

    changes(subject);
    expiration(subject);
    users(subject);
    administration(subject);
    data(subject);
    model(subject);
    setup(subject);
  });
}

export type Connection = { url: string | undefined } | { missing: string };

function newName(): string {
  return `t_${randomBytes(6).toString("hex")}`;
}

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the store is open only while the suite's tests run");
  return value;
}
