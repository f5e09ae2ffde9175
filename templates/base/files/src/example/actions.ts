// What the example does, without HTTP: from a session and checked input to what to answer.
// Replace it by what your app does; handlers.ts binds it to routes.
import { authenticate } from "../authenticate.ts";
import { type Config, describeStore } from "../config.ts";
import { Problem } from "../http/errors.ts";
import type { Json } from "../session/contract.ts";
import type { Session } from "../session/session.ts";
import type { Sessions } from "../session/sessions.ts";
import type { SessionData } from "../session-data.ts";
import type { Device, PageView } from "./page.ts";

/** Seconds after a sign-in in which other devices may be ended. */
const STEP_UP = 15 * 60;

/** Counts the visit, if there is a session, and collects what the page shows. */
export async function visit(session: Session, sessions: Sessions, config: Config): Promise<PageView> {
  if (session.exists) {
    await session.update((data) => {
      data.visits = count(data.visits) + 1;
    });
  }
  return {
    // Where it is concerns nobody else.
    store: config.production ? "the session store" : describeStore(config.store),
    session: session.exists ? session : null,
    devices: session.userid === null ? [] : await devices(session, sessions),
    fresh: session.fresh(STEP_UP),
    demo: !config.production,
  };
}

/** 404 without one. */
export function show(session: Session): Session {
  if (!session.exists) throw new Problem(404, "There is no session.");
  return session;
}

/** Takes any key, past the type of SessionData; where you know the key, write `session.data.theme = "dark"`. */
export function setValue(session: Session, key: string, value: Json): SessionData {
  (session.data as Record<string, Json>)[key] = value;
  return session.data;
}

export function removeValue(session: Session, key: string): SessionData {
  delete (session.data as Record<string, Json>)[key];
  return session.data;
}

/** The quantity 0 takes the article out. Atomic: of two clicks at the same time, both count. */
export async function changeCart(session: Session, sku: string, quantity: number): Promise<Record<string, number>> {
  const cart = await session.update((data) => {
    // A SKU may be "__proto__" too.
    const items = new Map(Object.entries(data.cart ?? {}));
    if (quantity === 0) items.delete(sku);
    else items.set(sku, count(items.get(sku)) + quantity);
    data.cart = Object.fromEntries(items);
    return data.cart;
  });
  return cart ?? {};
}

/** A new token, the same data; 401 if the password is wrong. */
export async function signIn(session: Session, userid: string, password: string): Promise<void> {
  const user = await authenticate(userid, password);
  if (user === null) throw new Problem(401, "The user name or the password is wrong.");
  await session.signIn(user);
}

/** On all devices; 401 unless signed in. */
export async function devices(session: Session, sessions: Sessions): Promise<Device[]> {
  const list = await sessions.list(signedIn(session));
  return list.map(({ id, created, updated, ipaddress, useragent }) => {
    return { id, created, updated, ipaddress, useragent, current: id === session.id };
  });
}

/** Ends one of the user's own sessions; 404 for anyone else's, so that ids can't be tried out. */
export async function endDevice(session: Session, sessions: Sessions, id: string): Promise<void> {
  const own = await sessions.list(signedIn(session));
  if (!own.some((device) => device.id === id)) throw new Problem(404, "There is no such session.");
  if (id === session.id) return session.destroy();
  checkFresh(session);
  await sessions.end(id);
}

/** Ends the user's sessions but this one; how many. */
export async function endOtherDevices(session: Session, sessions: Sessions): Promise<number> {
  const userid = signedIn(session);
  checkFresh(session);
  return sessions.endByUser(userid, { except: session.id });
}

/** Step-up: whoever finds an open browser must not lock its owner out everywhere else. */
function checkFresh(session: Session): void {
  if (!session.fresh(STEP_UP)) throw new Problem(403, "Please sign in again first.", { signIn: true });
}

/** 0 if it is no number: setValue stores anything. */
function count(stored: unknown): number {
  return typeof stored === "number" ? stored : 0;
}

function signedIn({ userid }: Session): string {
  if (userid === null) throw new Problem(401, "Please sign in first.");
  return userid;
}
