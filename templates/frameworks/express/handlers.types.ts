// What the type-checker must accept and refuse of `request.session` in a handler of Express: scripts/typecheck.ts runs it, nothing else does.
// Change it with the adapter's declaration; the type of the data itself is guarded in every project's test/session-data.types.ts.
import { Router } from "express";
import "./files/src/session/adapter.ts";

export const router = Router().get("/", (request) => {
  const { session } = request;
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
  request.session = session;
});
