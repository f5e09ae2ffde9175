// The pages show what users typed, as text and never as markup.
// Change it with src/example/page.ts; these need neither app nor store.
import assert from "node:assert/strict";
import { test } from "node:test";
import { page } from "../src/example/page.ts";
import { errorPage } from "../src/http/error-page.ts";
import { html } from "../src/http/html.ts";
import type { SessionData } from "../src/session-data.ts";

const EVIL = `"><script>alert('1')</script><a b='`;

function pageWith(data: object): string {
  const common = { id: EVIL, created: 1, updated: 1, ipaddress: EVIL, useragent: EVIL };
  return page({
    store: EVIL,
    session: { ...common, userid: EVIL, idle: 60, data: data as SessionData },
    devices: [{ ...common, current: false }],
    fresh: true,
    demo: true,
  });
}

test("everything that comes from outside is escaped, wherever it stands", () => {
  const text = pageWith({ [EVIL]: EVIL, cart: { [EVIL]: 1 }, theme: EVIL }) + errorPage(400, EVIL);
  assert.ok(!text.includes("<script") && !text.includes("<a b="));
});

test("whoever is signed in can sign out, by the first button below the header", () => {
  const [, main = ""] = pageWith({}).split("<main");
  const [before = "", after] = main.split("<button>Sign out</button>");
  assert.ok(after !== undefined && !before.includes("<button") && before.includes('action="/logout"'));
});

test("session data that is not of its type breaks no page", () => {
  for (const value of [EVIL, [EVIL, [EVIL]], { toString: 1 }, null, 1e300, [], true]) {
    const text = pageWith({ visits: value, cart: { tea: value }, theme: value });
    assert.ok(!text.includes("<script"));
    assert.match(pageWith({ cart: value }), /<\/html>/);
  }
});

test("markup nests, text doesn't become any", () => {
  assert.equal(
    String(html`<ul>${["a", "<b>"].map((text) => html`<li>${text}</li>`)}</ul>`),
    "<ul><li>a</li><li>&#60;b&#62;</li></ul>",
  );
});
