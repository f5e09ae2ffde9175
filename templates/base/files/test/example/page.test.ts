// The example's page shows what users typed as text, never as markup. These tests need neither app nor store.
import assert from "node:assert/strict";
import { test } from "node:test";
import { page } from "../../src/example/page.ts";
import type { SessionData } from "../../src/session-data.ts";

const EVIL = `"><script>alert('1')</script><a b='`;
const ESCAPED = "&#34;&#62;&#60;script&#62;alert(&#39;1&#39;)&#60;/script&#62;&#60;a b=&#39;";

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

test("everything that comes from outside is shown, and escaped, wherever it stands", () => {
  const text = pageWith({ [EVIL]: EVIL, cart: { [EVIL]: 1 }, theme: EVIL });
  assert.ok(!text.includes("<script") && !text.includes("<a b="));
  for (const [place, pattern] of Object.entries({
    store: /Sessions are kept in E\./,
    id: /<code id="session-id">E<\/code>/,
    userid: /<dd id="user">E<\/dd>/,
    address: /<dd>E<\/dd>/,
    "device's address": /<small>E · last seen/,
    "device's id": /name="id" value="E"/,
    "key of the data": /name="key" value="E"/,
    article: /name="sku" value="E"/,
  })) {
    assert.match(text.replaceAll(ESCAPED, "E"), pattern, place);
  }
});

test("whoever is signed in can sign out, by the first button below the header", () => {
  const [, main = ""] = pageWith({}).split("<main");
  const [before = "", after] = main.split("<button>Sign out</button>");
  assert.ok(after !== undefined && !before.includes("<button") && before.includes('action="logout"'));
});

test("session data that is not of its type breaks no page", () => {
  for (const value of [EVIL, [EVIL, [EVIL]], { toString: 1 }, null, 1e300, [], true]) {
    const text = pageWith({ visits: value, cart: { tea: value }, theme: value });
    assert.ok(!text.includes("<script"));
    assert.match(pageWith({ cart: value }), /<\/html>/);
  }
});
