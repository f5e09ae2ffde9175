// `npm run sessions`: looks at sessions and ends them from the shell, beside the running app. HELP says how.
// What the commands do, and what each of them takes, is in commands.ts.
import { parseArgs } from "node:util";
import { type Config, loadConfig } from "../config.ts";
import type { SessionDriver } from "../session/contract.ts";
import { Sessions } from "../session/sessions.ts";
import { createDriver } from "../store/driver.ts";
import { describeStore } from "../store/settings.ts";
import { type Command, commands, type Options, print, type Target, UsageError } from "./commands.ts";
import { copy } from "./copy.ts";

const HELP = `Usage: npm run sessions -- <command> [options]

  setup               create what the store lacks: tables, indexes or the like
  list                live sessions, one a line; --user <id>: only this user's
  show <session>      one session with its data
  revoke <session>    end one session
  revoke --user <id>  end all sessions of a user
  revoke --all        end everybody's sessions; asks first, unless --yes is given
  purge               delete what has expired
  stats               how many sessions there are, and who has the most
  copy                move live sessions to another store; says how when it is run

  --json              print JSON (npm run --silent keeps npm's own lines out of it)
  --help              print this

Exit codes: 0 done, 1 it failed or there is no such session, 2 wrong usage.`;

function parse(args: string[]): { command: Command; options: Options } | "help" {
  // A session's ID may begin with "-"; it is not an option.
  const ids = args.filter((arg) => arg.startsWith("-") && isId(arg));
  const { values, positionals } = parseArgs({
    args: ids.length === 0 ? args : [...args.filter((arg) => !ids.includes(arg)), "--", ...ids],
    allowPositionals: true,
    options: {
      user: { type: "string" },
      all: { type: "boolean", default: false },
      yes: { type: "boolean", default: false, short: "y" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false, short: "h" },
    },
  });
  const [name, session, ...more] = positionals;
  if (values.help || name === "help") return "help";
  const known = `The commands are ${Object.keys(commands).join(", ")}, copy.`;
  if (name === undefined) throw new UsageError(`Which command? ${known}`);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) throw new UsageError(`Unknown command ${JSON.stringify(name)}. ${known}`);
  if (more.length > 0) throw new UsageError(`Unexpected argument ${JSON.stringify(more[0])}.`);
  const { user, all, yes, json } = values;
  const options = { session, user, all, yes, json };
  check(name, command, options);
  return { command, options };
}

/** Throws a UsageError unless the command takes what it was given. */
function check(name: string, { takes, needsOne = false }: Command, { session, user, all, yes }: Options): void {
  const given: Target[] = [];
  if (session !== undefined) given.push("session");
  if (user !== undefined) given.push("user");
  if (all) given.push("all");
  const [unexpected] = given.filter((target) => !takes.includes(target));
  if (unexpected === "session") throw new UsageError(`Unexpected argument ${JSON.stringify(session)}.`);
  if (unexpected === "user") throw new UsageError("--user <id> works with list and revoke only.");
  if (unexpected === "all") throw new UsageError("--all works with revoke only.");
  const choices = takes.length === 1 ? "a session's ID" : "a session's ID, --user <id> or --all";
  if (given.length > 1) throw new UsageError(`${name} takes only one of ${choices}.`);
  if (given.length === 0 && needsOne) throw new UsageError(`${name} needs ${choices}.`);
  if (session !== undefined && !isId(session)) {
    throw new UsageError(`${JSON.stringify(session)} is not a session's ID: 22 characters, as "list" shows it.`);
  }
  if (user === "") throw new UsageError("--user <id> must not be empty.");
  if (all && !yes && !process.stdin.isTTY) {
    throw new UsageError("revoke --all signs everybody out: without a terminal to ask on, it needs --yes.");
  }
}

function isId(text: string): boolean {
  return /^[\w-]{22}$/.test(text);
}

/** How long each call to the store may take, in milliseconds. No visitor waits, and counting millions of sessions takes minutes. */
const WORK_TIMEOUT_MS = 600_000;

async function run(command: Command, options: Options, config: Config): Promise<void> {
  const name = describeStore(config.store);
  // A store that is down is reported as soon as requests would notice it.
  await withSessions(config, config.session.storeTimeout, async (sessions, { inProcess }) => {
    if (inProcess && !command.isSetup) {
      throw new Error(`The app keeps its sessions in ${name}: no other process can see them.`);
    }
    await sessions.ready(command.isSetup ? "auto" : "manual", 0, console.error);
  });
  await withSessions(config, WORK_TIMEOUT_MS, (sessions) => command.run(sessions, options, name));
}

async function withSessions(
  { store, session }: Config,
  storeTimeout: number,
  use: (sessions: Sessions, driver: SessionDriver) => Promise<void>,
): Promise<void> {
  const driver = createDriver(store, storeTimeout);
  const sessions = new Sessions({ driver, settings: { ...session, storeTimeout } });
  try {
    await use(sessions, driver);
  } finally {
    await sessions.close();
  }
}

// `sessions list | head` closes the pipe early, which is not a failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

try {
  const args = process.argv.slice(2);
  if (args[0] === "copy") {
    process.exitCode = await copy(args.slice(1));
  } else {
    const parsed = parse(args);
    if (parsed === "help") await print(HELP);
    else await run(parsed.command, parsed.options, loadConfig());
  }
} catch (error) {
  const { message, code, cause } = error as NodeJS.ErrnoException;
  const isOption = code?.startsWith("ERR_PARSE_ARGS") === true;
  const because = cause instanceof Error && !message.includes(cause.message) ? ` (${cause.message})` : "";
  // Node's own message goes on about how to escape dashes.
  console.error(
    isOption ? `${message.split(/\.?(?:\s|$)(?=[A-Z]|$)/)[0]}; --help lists the options.` : message + because,
  );
  process.exitCode = isOption || error instanceof UsageError ? 2 : 1;
}
