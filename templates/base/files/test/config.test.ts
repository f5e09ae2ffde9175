// The settings: defaults, what the environment overrides, and what stops the start.
// Add a case when you add a setting to src/config.ts, and change the first one when you change a default there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "../src/config.ts";
import { ConfigError } from "../src/http/environment.ts";
import { testEnvironment } from "./store.ts";

function read(variables: Record<string, string>) {
  return readConfig({ ...testEnvironment, ...variables });
}

test("without any variable the defaults hold", () => {
  const { host, port, production, session } = read({});
  assert.deepEqual({ host, port, production }, { host: "localhost", port: 3000, production: false });
  assert.equal(session.idle, 86_400);
  assert.equal(session.lifetime, 30 * 86_400);
  assert.equal(session.cookieSecure, "auto");
  assert.deepEqual(session.skip, ["/health"]);
});

test("variables override them", () => {
  const { port, production, session } = read({
    PORT: "8080",
    NODE_ENV: "production",
    SESSION_IDLE: "900",
    SESSION_COOKIE_SECURE: "true",
    SESSION_IP_ADDRESS_LOCK: "yes",
    SESSION_TRUST_PROXY: "127.0.0.1, fd00::/8",
    SESSION_ALLOWED_ORIGINS: "https://admin.example.com, http://localhost:5173, capacitor://localhost",
    SESSION_ALLOWED_PATHS: "/saml, /pay/return",
    SESSION_COOKIE_SAME_SITE: "none",
    SESSION_COOKIE_PARTITIONED: "true",
    SESSION_COOKIE_PERSISTENT: "false",
  });
  assert.equal(port, 8080);
  assert.equal(production, true);
  assert.equal(session.idle, 900);
  assert.equal(session.cookieSecure, true);
  assert.equal(session.ipAddressLock, true);
  assert.deepEqual(session.trustProxy, ["127.0.0.1", "fd00::/8"]);
  const origins = ["https://admin.example.com", "http://localhost:5173", "capacitor://localhost"];
  assert.deepEqual(session.allowedOrigins, origins);
  assert.deepEqual(session.allowedPaths, ["/saml", "/pay/return"]);
  assert.deepEqual([session.cookiePartitioned, session.cookiePersistent], [true, false]);
});

test("an empty variable counts as unset, a number of proxies as a number", () => {
  assert.equal(read({ PORT: "" }).port, 3000);
  assert.equal(read({ HOST: "" }).host, "localhost");
  assert.equal(read({ SESSION_TRUST_PROXY: "1" }).session.trustProxy, 1);
});

test("a number is refused with its range and unit", () => {
  const expected = 'SESSION_IDLE must be a whole number from 1 to 34560000 seconds, not "a day".';
  assert.throws(() => read({ SESSION_IDLE: "a day" }), { message: expected });
});

for (const [name, value] of [
  ["PORT", "65536"],
  ["SESSION_IDLE", "a day"],
  ["SESSION_IDLE", "0"],
  ["SESSION_LIFETIME", "-1"],
  ["SESSION_NAME", "my session"],
  ["SESSION_NAME", "__Host-session"],
  ["SESSION_START", "always"],
  ["SESSION_COOKIE_DOMAIN", ".example.com"],
  ["SESSION_COOKIE_PATH", "shop"],
  ["SESSION_COOKIE_SECURE", "maybe"],
  ["SESSION_COOKIE_SAME_SITE", "none"],
  ["SESSION_SKIP", "health"],
  ["SESSION_TRUST_PROXY", "proxy.example.com"],
  ["SESSION_TRUST_PROXY", "10.0.0.0/33"],
  ["SESSION_TRUST_PROXY", "10.0.0.0/8/8"],
  ["SESSION_COOKIE_PATH", "/<x"],
  ["SESSION_COOKIE_DOMAIN", `${"a".repeat(64)}.example`],
  ["SESSION_COOKIE_PARTITIONED", "true"],
  ["SESSION_ALLOWED_ORIGINS", "https://example.com/path"],
  ["SESSION_ALLOWED_ORIGINS", "https://Example.com"],
  ["SESSION_ALLOWED_ORIGINS", "capacitor://"],
  ["SESSION_ALLOWED_ORIGINS", "null"],
  ["SESSION_ALLOWED_PATHS", "saml"],
] as const) {
  test(`${name}=${value} is refused in one line that names it`, () => {
    assert.throws(
      () => read({ [name]: value }),
      (error: unknown) =>
        error instanceof ConfigError && error.message.startsWith(name) && !error.message.includes("\n"),
    );
  });
}
