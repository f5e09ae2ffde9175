// What the tests of the Redis driver share: drivers, refusals, servers that are not Redis, and a server to send commands to.
// Change it when the driver's settings change.

import { createClient } from "redis";
import { beforeAll, beforeEach, expect, onTestFinished } from "vitest";
import { type SessionDriver, type SessionInfo, StoreUnavailable } from "../../../../runtime/src/session/contract.ts";
import { drivers, failure, PASSWORD } from "../../../../test/drivers/broken.ts";
import { START } from "../../../../test/drivers/rows.ts";
import { server } from "../../../../test/servers/server.ts";
import { Environment } from "../../../base/files/src/http/environment.ts";
import { createDriver } from "../files/src/store/driver.ts";
import { readStoreSettings, type StoreSettings } from "../files/src/store/settings.ts";

/** How long to wait for what is hung, dead or wrong, in milliseconds. */
export const TIMEOUT = 1000;

/** The password as a URL has it. */
export const SECRET = encodeURIComponent(PASSWORD);

export const prefix = `s_${process.pid}`;

export function open(settings: StoreSettings, timeout = 15_000): SessionDriver {
  const driver = createDriver(settings, timeout);
  drivers.push(driver);
  return driver;
}

export function read(variables: Record<string, string> = {}): StoreSettings {
  return readStoreSettings(new Environment(variables));
}

/** Expects one line that names the setting and not the password, from every call alike. */
export async function expectRefusal(settings: StoreSettings, line: RegExp): Promise<void> {
  const driver = open(settings, TIMEOUT);
  const works = [driver.setup(), driver.check(), driver.ping(), driver.read("x", { now: START })];
  for (const error of await Promise.all(works.map(failure))) {
    expect(error.message).toMatch(line);
    expect(error.message).toMatch(/^[^\n]{10,300}[^.\n]$/);
    expect(error).toBeInstanceOf(StoreUnavailable);
    for (const url of settings.urls) {
      expect(error.message).not.toContain(new URL(url).password || PASSWORD);
      expect(error.message).not.toContain(PASSWORD);
    }
  }
}

/** Sends one command. */
export async function send(url: string, ...args: string[]): Promise<unknown> {
  const client = await createClient({ url }).connect();
  try {
    return await client.sendCommand(args);
  } finally {
    client.destroy();
  }
}

export async function listAll(driver: SessionDriver): Promise<SessionInfo[]> {
  const sessions: SessionInfo[] = [];
  for await (const batch of driver.all(START)) sessions.push(...batch);
  return sessions;
}

/** The warnings of this process, from now until the test ends. */
export function collectWarnings(): string[] {
  const warnings: string[] = [];
  const note = ({ message }: Error) => void warnings.push(message);
  process.on("warning", note);
  onTestFinished(() => void process.off("warning", note));
  return warnings;
}

/** The Redis that the run shares. The tests of the file are skipped where there is none. */
export class SharedServer {
  #url: string | undefined;

  constructor() {
    beforeAll(async () => {
      this.#url = (await server("redis"))?.url;
    });
    beforeEach((context) => context.skip(this.#url === undefined, "no redis server here"));
  }

  get url(): string {
    if (this.#url === undefined) throw new Error("the server is there only while tests run");
    return this.#url;
  }

  settings(change: (url: URL) => void = () => undefined): StoreSettings {
    const changed = new URL(this.url);
    change(changed);
    return { urls: [changed.href], sentinels: [], prefix };
  }

  command(...args: string[]): Promise<unknown> {
    return send(this.url, ...args);
  }

  /** Settings for a user with these rules, and what removes the user. */
  async userWith(rules: readonly string[]): Promise<StoreSettings> {
    await this.command("ACL", "SETUSER", "app", "reset", "on", `>${PASSWORD}`, ...rules);
    return this.settings((url) => {
      url.username = "app";
      url.password = SECRET;
    });
  }
}
