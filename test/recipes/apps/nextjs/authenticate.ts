// Who is signing in. The tests' users have the password "demo".
// Change it together with built.test.ts.
export async function authenticate(userid: string, password: string): Promise<string | null> {
  return password === "demo" ? userid : null;
}
