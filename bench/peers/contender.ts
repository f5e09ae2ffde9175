// What is the same for all contenders: what they are started with, the session data as handlers see it, and the four routes.
// Change it to measure another kind of request.

export interface Setting {
  framework: string;
  backend: string;
  /**
   * "bare" has no sessions, "empty middleware" has one that does nothing, "ours" has this project's sessions, "lookup" reads a
   * row by its key, "by hand" does the least that a safe session needs; others name a package.
   */
  who: string;
  /** An assembled project: our code, and the framework and the store's client that all contenders share. */
  project: string;
  /** The store's server; empty where there is none. */
  url: string;
  /** A name of its own for tables, collections and files, so that contenders don't see each other's. */
  unique: string;
  /** A folder for files. */
  folder: string;
  /** Whether our driver sets up its store; false where the rows are there already. */
  isFilled?: boolean;
}

export interface ServeSetting extends Setting {
  /** How many sessions it makes before it serves. */
  sessions: number;
  countsStatements: boolean;
}

/** A session's data by key. */
export interface Bag {
  get(key: string): unknown;
  set(key: string, value: unknown): unknown;
}

const FILLER = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`key${index}`, "x".repeat(38)]));

/** 1 kB, as every contender's sessions hold. */
export const DATA: Record<string, unknown> = { user: "ann", count: 0, ...FILLER };

/** What the routes respond with, by path. Every framework sends it as JSON. The anonymous one doesn't ask for its session. */
export const routes: Record<string, (session: () => Bag) => object> = {
  "/anonymous": () => ({ user: null }),
  "/read": (session) => ({ user: session().get("user") ?? null }),
  "/write": (session) => {
    const bag = session();
    bag.set("count", Number(bag.get("count") ?? 0) + 1);
    return { user: bag.get("user") ?? null };
  },
  "/make": (session) => {
    const bag = session();
    for (const [key, value] of Object.entries(DATA)) bag.set(key, value);
    return {};
  },
};

export function bagOf(data: object): Bag {
  const values = data as Record<string, unknown>;
  return {
    get: (key) => values[key],
    set: (key, value) => {
      values[key] = value;
    },
  };
}

export const NO_SESSION: Bag = { get: () => undefined, set: () => undefined };

/** A package of bench/, which has no types where it isn't installed, and whose types would change those of our own code where it is. */
// biome-ignore lint/suspicious/noExplicitAny: see above.
export function peerPackage(name: string): Promise<any> {
  return import(name);
}
