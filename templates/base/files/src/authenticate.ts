// Who is signing in: turns a user name and a password into the id of a user, or null.
// Replace the body by a look-up in your own users: until then it refuses to work in production.

class NotImplemented extends Error {
  override readonly name = "NotImplemented";
  readonly status = 501;
}

/**
 * The userid, or null if name or password is wrong. Take as long for an unknown user as for a wrong password, or a
 * stranger can find out who has an account. A real one, where a user's row holds `salt` (16 random bytes) and `hash`,
 * made by the same call of scrypt from node:crypto:
 *
 *     const user = await users.find(userid);
 *     const hash = await promisify(scrypt)(password.normalize(), user?.salt ?? NO_SALT, 64, { N: 2 ** 17, maxmem: 2 ** 28 });
 *     return user && timingSafeEqual(hash, user.hash) ? user.id : null;
 */
export async function authenticate(userid: string, password: string): Promise<string | null> {
  if (process.env.NODE_ENV === "production") {
    throw new NotImplemented("Signing in is not set up yet: write src/authenticate.ts.");
  }
  return password === "demo" ? userid : null;
}
