// Moves the visitors of an old app to a new one: many at once, each with six requests at the same time, as browsers send them.
// Change it when an adopted session has more that must be right.
import { expect } from "vitest";
import { Client } from "./client.ts";

const VISITORS = 1000;
const AT_ONCE = 40;
const REQUESTS = 6;

export interface Move {
  oldUrl: string;
  newUrl: string;
  oldCookie: string;
  visitors?: number;
  /** False where the old cookie holds all there is, and nothing can revoke it. */
  revocable?: boolean;
}

/** Signs visitors in at the old app; every tenth stays a guest with a cart. */
export async function moveVisitors({
  oldUrl,
  newUrl,
  oldCookie,
  visitors = VISITORS,
  revocable = true,
}: Move): Promise<void> {
  const ids = new Set<string>();
  await inTurns(visitors, async (index) => {
    const old = new Client(oldUrl);
    const isGuest = index % 10 === 0;
    const signedIn = await old.post(isGuest ? "/old/cart" : "/old/login", { userid: `user ${index}`, cart: [index] });
    expect(signedIn.status).toBe(204);

    const clients = Array.from({ length: REQUESTS }, () => withCookies(newUrl, old.cookies));
    const seen = await Promise.all(clients.map((client) => client.get("/session")));
    const [first] = seen;
    for (const { status, json } of seen) {
      expect(status).toBe(200);
      expect(json.id).toBe(first?.json.id);
      expect(json.userid).toBe(isGuest ? null : `user ${index}`);
      expect(json.data.cart).toEqual([index]);
    }
    ids.add(first?.json.id);
    // All have the same cookie, and no longer the old one.
    const cookies = new Set(clients.map((client) => client.cookies.get("session")));
    expect(cookies.size).toBe(1);
    for (const client of clients) expect(client.cookies.has(oldCookie)).toBe(false);
    const [client] = clients;
    if (client === undefined || isGuest) return;
    expect((await client.get("/sessions")).json).toHaveLength(1);
    // No more trusted than before: what asks for a recent sign-in asks again.
    expect((await client.send("DELETE", "/sessions")).status).toBe(403);
    // A sign-out holds, whatever is left of the old session.
    if (!revocable || index % 7 !== 0) return;
    await client.post("/logout");
    expect((await withCookies(newUrl, old.cookies).get("/session")).status).toBe(404);
  });
  expect(ids.size).toBe(visitors);
}

/** A browser that has these cookies. */
export function withCookies(url: string, cookies: ReadonlyMap<string, string>): Client {
  const client = new Client(url);
  for (const [name, value] of cookies) client.cookies.set(name, value);
  return client;
}

async function inTurns(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const index = next;
      next += 1;
      await work(index);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
