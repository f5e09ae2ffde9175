// What clients learn about a failure, and that error pages show text as text. These tests need neither app nor store.
// Change it with src/http/errors.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem, toResponse } from "../src/http/errors.ts";
import { html } from "../src/http/html.ts";
import { StoreUnavailable } from "../src/session/contract.ts";

function respond(error: unknown, { accept, present = [] }: { accept?: string; present?: string[] } = {}) {
  const logged: unknown[] = [];
  const hasHeader = (name: string) => present.includes(name.toLowerCase());
  const response = toResponse(error, { accept, hasHeader, log: (one) => logged.push(one) });
  return { ...response, logged };
}

function httpError(status: number, more: object = {}): Error {
  return Object.assign(new Error("db.internal refused"), { status, ...more });
}

test("a Problem says what a client may know, as JSON or as a page", () => {
  const problem = new Problem(422, "<b>wrong</b>", { field: "name" });
  const json = respond(problem);
  assert.deepEqual([json.status, json.logged], [422, []]);
  assert.deepEqual(JSON.parse(json.body), { error: "<b>wrong</b>", field: "name" });
  const page = respond(problem, { accept: "text/html,*/*" });
  assert.equal(page.headers["content-type"], "text/html; charset=utf-8");
  assert.ok(page.body.includes("&#60;b&#62;wrong&#60;/b&#62;"));
});

test("an unexpected error is logged, and its message stays here", () => {
  for (const error of [new Error("db.internal refused"), "thrown text", undefined, httpError(200), httpError(500)]) {
    const { status, body, logged } = respond(error);
    assert.deepEqual([status, logged], [500, [error]]);
    assert.ok(!body.includes("internal"));
  }
});

test("another package's status is kept, and its message only where a client made the mistake", () => {
  for (const status of [501, 502, 503, 504]) {
    const { body, logged, ...response } = respond(httpError(status));
    assert.equal(response.status, status);
    assert.equal(logged.length, 1);
    assert.ok(!body.includes("internal") && !body.includes("Sessions"));
    assert.equal(response.headers["retry-after"], undefined);
  }
  assert.ok(respond(Object.assign(new Error("too long"), { statusCode: 414 })).body.includes("too long"));
  assert.ok(!respond(httpError(400, { expose: false })).body.includes("internal"));
  assert.ok(respond(httpError(503, { expose: true })).body.includes("internal"));
});

test("a store that is down is 503 with a time to come back", () => {
  const { status, headers, body, logged } = respond(new StoreUnavailable("db.internal refused"));
  assert.deepEqual([status, headers["retry-after"], logged], [503, "5", []]);
  assert.ok(!body.includes("internal"));
});

test("an error's own headers are kept, except those about a body", () => {
  const headers = { "Retry-After": "60", "X-Reason": "load", "Content-Length": "3", "content-encoding": "gzip" };
  const response = respond(httpError(503, { headers }));
  assert.equal(response.headers["retry-after"], "60");
  assert.equal(response.headers["x-reason"], "load");
  assert.equal(response.headers["content-length"], undefined);
  assert.equal(response.headers["content-encoding"], undefined);
});

test("401 asks for a Bearer token, unless something else is asked for already", () => {
  assert.equal(respond(httpError(401)).headers["www-authenticate"], 'Bearer realm="session"');
  const basic = httpError(401, { headers: { "WWW-Authenticate": "Basic" } });
  assert.equal(respond(basic).headers["www-authenticate"], "Basic");
  assert.equal(respond(httpError(401), { present: ["www-authenticate"] }).headers["www-authenticate"], undefined);
});

test("markup nests, text doesn't become any", () => {
  assert.equal(
    String(html`<ul>${["a", "<b>"].map((text) => html`<li>${text}</li>`)}</ul>`),
    "<ul><li>a</li><li>&#60;b&#62;</li></ul>",
  );
});
