// Who is signing in: turns a user name and a password into the id of a user, or null.
// Replace the body of authenticate by a look-up among your own users; until then only the demo signs in.
import type { Config } from "./config.ts";
import { Problem } from "./http/errors.ts";

/** What somebody has entered, and from which address: limits on attempts count by both. */
export interface Attempt {
  userid: string;
  password: string;
  ipaddress: string;
}

/**
 * Resolves to the userid, or to null if name or password is wrong. Take as long for an unknown user as for a wrong
 * password, or a stranger can find out who has an account. A real one, where a user's row holds `salt` (16 random bytes)
 * and `hash`, made by the same call of scrypt from node:crypto:
 *
 *     const user = await users.find(userid);
 *     const hash = await promisify(scrypt)(password.normalize(), user?.salt ?? NO_SALT, 64, { N: 2 ** 17, maxmem: 2 ** 28 });
 *     return user && timingSafeEqual(hash, user.hash) ? user.id : null;
 */
export async function authenticate({ userid, password }: Attempt, config: Config): Promise<string | null> {
  if (!isDemo(config)) {
    console.error(
      "A sign-in was refused: write src/authenticate.ts. The demo works in development, on localhost only.",
    );
    throw new Problem(501, "Signing in is not set up yet.");
  }
  return password === "demo" ? userid : null;
}

/** Whether anyone may sign in as anyone with the password "demo": in development, where only this machine is listened to. */
export function isDemo({ production, host }: Config): boolean {
  return !production && (host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host));
}
