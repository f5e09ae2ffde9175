// `npm run sessions`: look at sessions and end them from the shell, past the app. HELP says how.
// What the commands do is in commands.ts; change here what they are called with.
import { parseArgs } from "node:util";
import { describeStore, loadConfig } from "../config.ts";
import { createDriver } from "../store/driver.ts";
import { commands, type Options, print } from "./commands.ts";

const HELP = `Usage: npm run sessions -- <command> [options]

  setup             create what the store lacks: tables, indexes or the like
  list              live sessions, one a line; --user <id>: only this user's
  show <session>    one session with its data
  revoke <session>  end one session
  revoke --user <id>  end all sessions of a user
  revoke --all      end everybody's sessions; asks first, unless --yes is given
  purge             delete what has expired
  stats             how many sessions there are, and who has the most

  --json            print JSON (npm run --silent keeps npm's own lines out of it)
  --help            print this

Exit codes: 0 done, 1 it failed or there is no such session, 2 wrong usage.`;

class UsageError extends Error {}

function parse(args: string[]): { name: string; options: Options } | "help" {
  // An ID may begin with "-"; it is no option.
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
  const [name, session = "", ...more] = positionals;
  if (values.help || name === "help") return "help";
  if (name === undefined) throw new UsageError(`Say what to do: ${Object.keys(commands).join(", ")}.`);
  if (!Object.hasOwn(commands, name)) {
    throw new UsageError(`There is no command ${JSON.stringify(name)}; there are ${Object.keys(commands).join(", ")}.`);
  }
  if (more.length > 0) throw new UsageError(`${JSON.stringify(more[0])} is too much.`);
  const { user, all, yes, json } = values;
  const options = { session, user, all, yes, json };
  check(name, options);
  return { name, options };
}

/** Throws a UsageError. */
function check(name: string, { session, user, all, yes }: Options): void {
  const takesSession = name === "show" || (name === "revoke" && user === undefined && !all);
  if (takesSession && !isId(session)) {
    const or = name === "revoke" ? ", or --user <id>, or --all" : "";
    throw new UsageError(`${name} takes a session's ID, 22 characters as "list" shows it${or}.`);
  }
  if (!takesSession && session !== "") throw new UsageError(`${JSON.stringify(session)} is too much for ${name}.`);
  if (user === "" || (user !== undefined && name !== "list" && name !== "revoke")) {
    throw new UsageError("--user <id> goes with list and revoke, and is not empty.");
  }
  if (all && (name !== "revoke" || user !== undefined)) throw new UsageError("--all goes with revoke, alone.");
  if (all && !yes && !process.stdin.isTTY) {
    throw new UsageError("revoke --all signs everybody out: without a terminal to ask on, it needs --yes.");
  }
}

function isId(text: string): boolean {
  return /^[\w-]{22}$/.test(text);
}

async function run(name: string, options: Options): Promise<void> {
  const config = loadConfig();
  const driver = createDriver(config.store, config.session.storeTimeout);
  try {
    if (driver.inProcess && name !== "setup") {
      throw new Error(`The app keeps its sessions in ${describeStore(config.store)}: no other process can see them.`);
    }
    if (name !== "setup") await driver.check();
    await commands[name]?.(driver, options, config);
  } finally {
    await driver.close();
  }
}

// `sessions list | head` closes the pipe early, which is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

try {
  const parsed = parse(process.argv.slice(2));
  if (parsed === "help") await print(HELP);
  else await run(parsed.name, parsed.options);
} catch (error) {
  const { message, code, cause } = error as NodeJS.ErrnoException;
  const isOption = code?.startsWith("ERR_PARSE_ARGS") === true;
  const because = cause instanceof Error && !message.includes(cause.message) ? ` (${cause.message})` : "";
  // Node's own message goes on about how to escape dashes.
  console.error(
    isOption ? `${message.split(/\.?(?:\s|$)(?=[A-Z]|$)/)[0]}; --help shows what there is.` : message + because,
  );
  process.exitCode = isOption || error instanceof UsageError ? 2 : 1;
}
