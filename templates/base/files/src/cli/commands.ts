// The commands of `npm run sessions`: what each of them takes and does, and how sessions are printed.
// Add a command here, and a line about it to HELP in sessions.ts.
import { createInterface } from "node:readline/promises";
import { deviceName } from "../http/device.ts";
import type { SessionInfo } from "../session/contract.ts";
import type { Sessions } from "../session/sessions.ts";

/** Whose sessions a command is about: one session, one user's, or everybody's. */
export type Target = "session" | "user" | "all";

export interface Options {
  session: string | undefined;
  user: string | undefined;
  all: boolean;
  /** Don't ask. */
  yes: boolean;
  json: boolean;
}

export interface Command {
  /** It takes at most one of these. */
  takes: readonly Target[];
  needsOne?: boolean;
  /** The store need not be set up yet. */
  isSetup?: boolean;
  /** @param store where sessions are kept, in words */
  run(sessions: Sessions, options: Options, store: string): Promise<void>;
}

export class UsageError extends Error {}

/** How many sessions of one user `Sessions.list` returns at most. */
const LIST_LIMIT = 1000;

export const commands: Record<string, Command> = {
  setup: {
    takes: [],
    isSetup: true,
    async run(sessions, { json }, store) {
      // It has been set up by now; this checks that it can do what the app will ask of it.
      await sessions.ready("manual", 0, console.error);
      await print(json ? JSON.stringify({ store }) : `${store} is ready.`);
    },
  },

  list: {
    takes: ["user"],
    async run(sessions, { user, json }) {
      let count = 0;
      await print(json ? "[" : row(["SESSION", "USER", "LAST SEEN", "STARTED", "ADDRESS", "DEVICE"]));
      for await (const batch of user === undefined ? sessions.all() : [await sessions.list(user)]) {
        for (const session of batch) {
          await print(json ? `${count === 0 ? " " : ","} ${JSON.stringify(session)}` : line(session));
          count++;
        }
      }
      if (json) await print("]");
      else console.error(count === 1 ? "1 session" : `${count} sessions`);
      if (user !== undefined && count === LIST_LIMIT) console.error(`Only the newest ${LIST_LIMIT} are shown.`);
    },
  },

  show: {
    takes: ["session"],
    needsOne: true,
    async run(sessions, { session: id = "", json }) {
      const session = await sessions.show(id);
      if (session === undefined) throw new Error(`There is no session ${id}.`);
      if (json) return print(JSON.stringify(session));
      const times = ["created", "updated", "authenticated", "expires"];
      for (const [name, value] of Object.entries(session)) {
        const isTime = times.includes(name) && typeof value === "number";
        const isJson = typeof value === "object" && value !== null;
        const text = isTime ? time(value) : isJson ? JSON.stringify(value, null, 2) : String(value ?? "(guest)");
        await print(`${name.padEnd(14)} ${text.split("\n").map(plain).join("\n")}`);
      }
    },
  },

  revoke: {
    takes: ["session", "user", "all"],
    needsOne: true,
    async run(sessions, { session: id = "", user, all, yes, json }, store) {
      if (all && !yes) await confirm(sessions, store);
      const ended = all
        ? await sessions.endAll()
        : user !== undefined
          ? await sessions.endByUser(user)
          : Number(await sessions.end(id));
      if (ended === 0 && id !== "") throw new Error(`There is no session ${id}.`);
      await print(json ? JSON.stringify({ ended }) : `Ended ${ended} ${ended === 1 ? "session" : "sessions"}.`);
    },
  },

  purge: {
    takes: [],
    async run(sessions, { json }) {
      const purged = await sessions.purge();
      const noun = purged === 1 ? "session" : "sessions";
      await print(json ? JSON.stringify({ purged }) : `Deleted ${purged} expired ${noun}.`);
    },
  },

  stats: {
    takes: [],
    async run(sessions, { json }) {
      const stats = await sessions.stats();
      if (json) return print(JSON.stringify(stats));
      await print(`live       ${stats.live}`);
      await print(`signed in  ${stats.signedIn}`);
      await print(`expired    ${stats.expired} (waiting to be purged)`);
      for (const { userid, sessions } of stats.users) await print(`${String(sessions).padStart(8)}  ${plain(userid)}`);
    },
  },
};

/** Asks on the terminal; rejects unless the answer is yes. */
async function confirm(sessions: Sessions, store: string): Promise<void> {
  const { live } = await sessions.stats();
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // The terminal may be closed instead of answered.
  const closed = new Promise<string>((resolve) => terminal.once("close", () => resolve("")));
  try {
    const question = `End all ${live} live sessions in ${store}? Everybody is signed out. [y/N] `;
    const answer = await Promise.race([terminal.question(question), closed]);
    if (!/^y(es)?$/i.test(answer.trim())) throw new Error("Nothing was ended.");
  } finally {
    terminal.close();
  }
}

function line({ id, userid, updated, created, ipaddress, useragent }: SessionInfo): string {
  return row([id, userid ?? "(guest)", time(updated), time(created), ipaddress, deviceName(useragent)]);
}

function row(cells: string[]): string {
  const widths = [22, 20, 20, 20, 15];
  return cells
    .map((cell, column) => plain(cell).padEnd(widths[column] ?? 0))
    .join("  ")
    .trimEnd();
}

/** Replaces control characters in what clients have sent: they could command the terminal. */
function plain(text: string): string {
  return text.replace(/\p{C}/gu, "\uFFFD");
}

function time(seconds: number): string {
  return seconds === 0 ? "never" : `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}

/** Waits while the reader is slower than the store. */
export async function print(text: string): Promise<void> {
  if (!process.stdout.write(`${text}\n`)) await new Promise((resolve) => process.stdout.once("drain", resolve));
}
