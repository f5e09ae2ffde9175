// `npm run sessions -- copy`: moves live sessions between the store of this project and the one that it had before.
// Nothing to change here: what a copy does is in src/copy/, and docs/moving.md says how to go about it.
import { parseArgs } from "node:util";
import { agree, Copier, type Counts, type Outcome, type Store } from "../copy/copier.ts";
import { Journal } from "../copy/journal.ts";
import { openStore } from "../copy/stores.ts";
import { ConfigError, Environment, loadEnvironment } from "../http/environment.ts";
import { print, UsageError } from "./commands.ts";

const HELP = `Usage: npm run sessions -- copy --from <url> --to <url> [options]

Copies the live sessions to another store while the app runs. Tokens stay valid. Repeat it as often as you like, before and after
the app is restarted with the other store: docs/moving.md says when.

  --from <url>      where the sessions are (sqlite:./data/sessions.db, postgres://…, redis://…)
  --to <url>        where they go. Tables, prefixes and the like are set as for the app
  --journal <file>  remembers what has been copied (default: data/copied-sessions.txt)
  --only-missing    the app uses the target already, and nothing was copied before
  --json            print the counts as JSON

Exit codes: 0 done, 1 it failed or the counts don't agree, 2 wrong usage.`;

/** For each call to a store. No visitor waits for these. */
const TIMEOUT_MS = 15_000;
const PROGRESS_EVERY_MS = 1000;

const WORDS: Record<Outcome, string> = {
  copied: "copied",
  changed: "copied again, since they had changed",
  same: "copied before, unchanged",
  kept: "left as the target has them: the app has changed them there",
  ended: "not copied again: they have ended at the target",
  gone: "ended or expired at the source meanwhile",
  unreadable: "can't be read at the source, so they are sessions to nobody",
  refused: "REFUSED by the target",
  missing: "MISSING at the target after they were written: run the command again",
};

interface Options {
  from: string;
  to: string;
  journal: string;
  onlyMissing: boolean;
  json: boolean;
}

/** Resolves to the exit code. */
export async function copy(args: string[]): Promise<number> {
  const options = parse(args);
  if (options === "help") {
    await print(HELP);
    return 0;
  }
  // Not the whole of config.ts: the stores' settings are in the URLs.
  const environment = new Environment(loadEnvironment());
  const setup = environment.choice("SESSION_SETUP", "auto", ["auto", "manual"]);
  const source = open("--from", options.from);
  const target = open("--to", options.to);
  try {
    await source.driver.check();
    await (setup === "auto" ? target.driver.setup() : target.driver.check());
    const counts = await run({ source, target }, options);
    await report(counts, source, target, options.json);
    return agree(counts) ? 0 : 1;
  } finally {
    await Promise.all([source.driver.close(), target.driver.close()]);
  }
}

function open(option: string, url: string): Store {
  try {
    return openStore(url, TIMEOUT_MS);
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(`${option}: ${error.message}`);
    throw error;
  }
}

async function run(stores: { source: Store; target: Store }, { journal: file, onlyMissing }: Options): Promise<Counts> {
  const journal = new Journal(file, stores.source.name, stores.target.name);
  let reportedAt = performance.now();
  try {
    const copier = new Copier(stores, TIMEOUT_MS, journal, {
      progress({ source, copied, changed }) {
        if (performance.now() - reportedAt < PROGRESS_EVERY_MS) return;
        reportedAt = performance.now();
        console.error(`${source} read, ${copied + changed} copied …`);
      },
      refused: (id, message) => console.error(`The target refuses session ${id}: ${message}`),
    });
    return await copier.run(onlyMissing);
  } finally {
    journal.close();
  }
}

async function report(counts: Counts, source: Store, target: Store, json: boolean): Promise<void> {
  if (json) return print(JSON.stringify({ from: source.name, to: target.name, agree: agree(counts), ...counts }));
  await print(`${String(counts.source).padStart(9)}  live sessions in ${source.name}`);
  for (const [outcome, words] of Object.entries(WORDS)) {
    const count = counts[outcome as Outcome];
    if (count > 0 || outcome === "copied") await print(`${String(count).padStart(9)}  ${words}`);
  }
  await print(`${String(counts.target).padStart(9)}  live sessions in ${target.name}`);
  if (counts.removed > 0)
    await print(`${String(counts.removed).padStart(9)}  ended there, since they have ended at the source`);
}

function parse(args: string[]): Options | "help" {
  const { values } = parseArgs({
    args,
    options: {
      from: { type: "string" },
      to: { type: "string" },
      journal: { type: "string", default: "data/copied-sessions.txt" },
      "only-missing": { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false, short: "h" },
    },
  });
  const { from, to, journal, "only-missing": onlyMissing, json, help } = values;
  if (help) return "help";
  if (!from || !to) throw new UsageError("copy needs --from <url> and --to <url>.");
  return { from, to, journal, onlyMissing, json };
}
