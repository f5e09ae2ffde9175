// What `npm run sessions` does: a function for each command, and how sessions are printed.
// Add a command here, and a line about it to HELP in sessions.ts.
import { createInterface } from "node:readline/promises";
import { type Config, describeStore } from "../config.ts";
import { deviceName } from "../http/device.ts";
import type { SessionDriver, SessionRow } from "../session/contract.ts";

/** Sessions in one look at the store. */
const PAGE = 500;
const MOST_OF_ONE_USER = 10_000;

/** As checked by sessions.ts. */
export interface Options {
  /** A session's ID; "" for commands without. */
  session: string;
  user: string | undefined;
  all: boolean;
  yes: boolean;
  json: boolean;
}

type Command = (driver: SessionDriver, options: Options, config: Config) => Promise<void>;

export const commands: Record<string, Command> = {
  async setup(driver, { json }, { store }) {
    await driver.setup();
    await driver.check();
    await print(json ? JSON.stringify({ store: describeStore(store) }) : `${describeStore(store)} is ready.`);
  },

  async list(driver, { user, json }) {
    let count = 0;
    await print(json ? "[" : row(["SESSION", "USER", "LAST SEEN", "STARTED", "ADDRESS", "DEVICE"]));
    for await (const session of user === undefined ? allSessions(driver) : sessionsOf(driver, user)) {
      await print(json ? `${count === 0 ? " " : ","} ${JSON.stringify(publicPart(session))}` : line(session));
      count++;
    }
    if (json) await print("]");
    else console.error(count === 1 ? "1 session" : `${count} sessions`);
  },

  async show(driver, { session: id, json }) {
    const session = await driver.read(id, { now: now() });
    if (!session || session.expires < now()) throw new Error(`There is no session ${id}.`);
    const shown = { ...publicPart(session), data: JSON.parse(session.data) as unknown };
    if (json) return print(JSON.stringify(shown));
    const times = new Set(["created", "updated", "authenticated", "expires"]);
    for (const [name, value] of Object.entries(shown)) {
      const text = name === "data" ? JSON.stringify(value, null, 2) : times.has(name) ? time(Number(value)) : value;
      const lines = String(text ?? "(guest)").split("\n");
      await print(`${name.padEnd(14)} ${lines.map(plain).join("\n")}`);
    }
  },

  async revoke(driver, options, config) {
    const { session, user, all, json } = options;
    const ended = all
      ? await revokeAll(driver, options, config)
      : user !== undefined
        ? (await driver.endByUser(user)).length
        : Number(await driver.end(session));
    if (!all && user === undefined && ended === 0) throw new Error(`There is no session ${session}.`);
    await print(json ? JSON.stringify({ ended }) : ended === 1 ? "Ended 1 session." : `Ended ${ended} sessions.`);
  },

  async purge(driver, { json }) {
    let purged = 0;
    for (let batch = PAGE; batch === PAGE; purged += batch) batch = await driver.purge(now(), PAGE);
    await print(
      json ? JSON.stringify({ purged }) : `Deleted ${purged} expired ${purged === 1 ? "session" : "sessions"}.`,
    );
  },

  async stats(driver, { json }) {
    const stats = await driver.stats(now());
    if (json) return print(JSON.stringify(stats));
    await print(`live       ${stats.live}`);
    await print(`signed in  ${stats.signedIn}`);
    await print(`expired    ${stats.expired} (waiting to be purged)`);
    for (const { userid, sessions } of stats.users) await print(`${String(sessions).padStart(8)}  ${plain(userid)}`);
  },
};

/** A page at a time: a table of any size fits. */
async function* allSessions(driver: SessionDriver): AsyncGenerator<SessionRow> {
  const asOf = now();
  for (let after: string | undefined, page: SessionRow[]; ; after = page.at(-1)?.id) {
    page = await driver.page({ now: asOf, limit: PAGE, ...(after !== undefined && { after }) });
    if (page.length === 0) return;
    yield* page;
  }
}

async function* sessionsOf(driver: SessionDriver, user: string): AsyncGenerator<SessionRow> {
  const sessions = await driver.listByUser(user, now(), MOST_OF_ONE_USER);
  yield* sessions;
  if (sessions.length === MOST_OF_ONE_USER) console.error(`Only the newest ${MOST_OF_ONE_USER} are shown.`);
}

async function revokeAll(driver: SessionDriver, { yes }: Options, { store }: Config): Promise<number> {
  if (!yes) {
    const { live } = await driver.stats(now());
    const question = `End all ${live} live sessions in ${describeStore(store)}? Everybody is signed out. [y/N] `;
    if (!/^y(es)?$/i.test((await ask(question)).trim())) throw new Error("Nothing was ended.");
  }
  return driver.endAll();
}

/** "" when the terminal is closed instead of answered. */
async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<string>((resolve) => terminal.once("close", () => resolve("")));
  try {
    return await Promise.race([terminal.question(question), closed]);
  } finally {
    terminal.close();
  }
}

/** What may be listed. */
function publicPart({ secretHash: _secretHash, data: _data, version: _version, ...rest }: SessionRow) {
  return rest;
}

function line({ id, userid, updated, created, ipaddress, useragent }: SessionRow): string {
  return row([id, userid ?? "(guest)", time(updated), time(created), ipaddress, deviceName(useragent)]);
}

function row(cells: string[]): string {
  const widths = [22, 20, 20, 20, 15];
  return cells
    .map((cell, column) => plain(cell).padEnd(widths[column] ?? 0))
    .join("  ")
    .trimEnd();
}

/** Clients' text without control characters, which could command the terminal. */
function plain(text: string): string {
  return text.replace(/\p{C}/gu, "\uFFFD");
}

function time(seconds: number): string {
  return seconds === 0 ? "never" : `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}

/** Waits while the reader is slower than the store. */
export async function print(text: string): Promise<void> {
  if (!process.stdout.write(`${text}\n`)) await new Promise((resolve) => process.stdout.once("drain", resolve));
}
