// What the type-checker must accept and refuse of `c.var.session` in a handler of Hono: scripts/typecheck.ts runs it, nothing else does.
// Change it with the adapter's declaration; the type of the data itself is guarded in every project's test/session-data.types.ts.
import { Hono } from "hono";
import type { SessionEnv } from "./files/src/session/adapter.ts";

export const app = new Hono<SessionEnv>().get("/", (c) => {
  const { session } = c.var;
  session.data.theme = "dark";
  // @ts-expect-error There is no such key.
  session.data.them = "dark";
  // @ts-expect-error It is a number.
  session.data.visits = "3";
  // @ts-expect-error The cookie is no business of handlers.
  session.cookie.maxAge = 1000;
  // @ts-expect-error What is stored belongs in session.data.
  session.flash = [];
  // @ts-expect-error There is no such method.
  session.sigIn("ann");
  // @ts-expect-error Made by the adapter only.
  c.var.session = session;
  return c.body(null, 204);
});
