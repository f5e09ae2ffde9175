// What the example does, without HTTP: it takes a session and checked input, and returns what to respond with.
// handlers.ts binds it to routes.
import { authenticate, isDemo } from "../authenticate.ts";
import type { Config } from "../config.ts";
import { Problem } from "../http/errors.ts";
import type { Json } from "../session/contract.ts";
import type { Session } from "../session/session.ts";
import type { Sessions } from "../session/sessions.ts";
import type { SessionData } from "../session-data.ts";
import { describeStore } from "../store/settings.ts";

// What the example keeps in sessions, besides your own keys. Yours belong in src/session-data.ts.
declare module "../session-data.ts" {
  interface SessionData {
    /** The shopping cart: quantity by article number. */
    cart?: Record<string, number>;
    /** How the page looks; without it, as the browser prefers. */
    theme?: "light" | "dark";
  }
}

/** What the page shows. */
export interface Overview {
  /** Where sessions are kept, in words. */
  store: string;
  /** null if this visitor has none. */
  session: PublicSession | null;
  /** The user's sessions on all devices; empty for a guest. */
  devices: readonly Device[];
  /** Whether the last sign-in is recent enough for ending other devices. */
  fresh: boolean;
  /** Whether any name signs in with the password "demo". */
  demo: boolean;
}

/** What clients may see of their own session. Times are in seconds since 1970, `idle` is in seconds. */
export type PublicSession = Pick<
  Session,
  "id" | "userid" | "created" | "updated" | "idle" | "ipaddress" | "useragent" | "data"
>;

/** One of a user's sessions. Times are in seconds since 1970. */
export interface Device {
  id: string;
  created: number;
  updated: number;
  ipaddress: string;
  useragent: string;
  current: boolean;
}

/** How long after a sign-in other devices may be ended, in seconds. */
const STEP_UP_SECONDS = 15 * 60;

/** Counts the visit, if there is a session, and collects what the page shows. */
export async function visit(session: Session, sessions: Sessions, config: Config): Promise<Overview> {
  if (session.exists) {
    await session.update((data) => {
      data.visits = count(data.visits) + 1;
    });
  }
  return {
    // Don't reveal the store's location in production.
    store: config.production ? "the session store" : describeStore(config.store),
    session: session.exists ? session : null,
    devices: session.userid === null ? [] : await devices(session, sessions),
    fresh: session.fresh(STEP_UP_SECONDS),
    demo: isDemo(config),
  };
}

/** Throws a 404 if there is none. */
export function show(session: Session): PublicSession {
  if (!session.exists) throw new Problem(404, "There is no session.");
  return session;
}

/** Takes any key, whatever SessionData says; where you know the key, write `session.data.theme = "dark"`. */
export function setValue(session: Session, key: string, value: Json): SessionData {
  (session.data as Record<string, Json>)[key] = value;
  return session.data;
}

export function removeValue(session: Session, key: string): SessionData {
  delete (session.data as Record<string, Json>)[key];
  return session.data;
}

/** The quantity 0 removes the article. Atomic: if someone clicks twice at the same time, both clicks count. */
export async function changeCart(session: Session, sku: string, quantity: number): Promise<Record<string, number>> {
  const cart = await session.update((data) => {
    // A Map, because a SKU may be "__proto__".
    const items = new Map(Object.entries(data.cart ?? {}));
    if (quantity === 0) items.delete(sku);
    else items.set(sku, count(items.get(sku)) + quantity);
    data.cart = Object.fromEntries(items);
    return data.cart;
  });
  return cart ?? {};
}

/** Gives the session a new token and keeps a guest's data. Throws a 401 if the password is wrong. */
export async function signIn(
  session: Session,
  { userid, password }: { userid: string; password: string },
  config: Config,
): Promise<void> {
  const user = await authenticate({ userid, password, ipaddress: session.clientAddress }, config);
  if (user === null) throw new Problem(401, "The user name or the password is wrong.");
  // What one user has left behind is not for the next.
  if (session.userid !== null && session.userid !== user) session.data = {};
  await session.signIn(user);
}

/** The user's sessions on all devices. Throws a 401 unless signed in. */
export async function devices(session: Session, sessions: Sessions): Promise<Device[]> {
  const list = await sessions.list(signedIn(session));
  return list.map(({ id, created, updated, ipaddress, useragent }) => {
    return { id, created, updated, ipaddress, useragent, current: id === session.id };
  });
}

/** Ends one of the user's own sessions. Throws a 404 for anyone else's, so that ids can't be tried out. */
export async function endDevice(session: Session, sessions: Sessions, id: string): Promise<void> {
  const own = await sessions.list(signedIn(session));
  if (!own.some((device) => device.id === id)) throw new Problem(404, "There is no such session.");
  if (id === session.id) return session.destroy();
  checkFresh(session);
  await sessions.end(id);
}

/** Ends all of the user's sessions except this one. Resolves to how many. */
export async function endOtherDevices(session: Session, sessions: Sessions): Promise<number> {
  const userid = signedIn(session);
  checkFresh(session);
  return sessions.endByUser(userid, { except: session.id });
}

/** Step-up: whoever finds an open browser must not lock its owner out everywhere else. */
function checkFresh(session: Session): void {
  if (!session.fresh(STEP_UP_SECONDS)) throw new Problem(403, "Please sign in again first.", { signIn: true });
}

/** Takes anything that isn't a number for 0, since setValue may have stored it. */
function count(stored: unknown): number {
  return typeof stored === "number" ? stored : 0;
}

function signedIn({ userid }: Session): string {
  if (userid === null) throw new Problem(401, "Please sign in first.");
  return userid;
}
