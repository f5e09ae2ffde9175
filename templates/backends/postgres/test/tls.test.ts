// The PostgreSQL driver over TLS: each mode, and certificates that must not be accepted.
// Change it when TLS gets another setting.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, test } from "vitest";
import { type FreshServer, freshServer } from "../../../../test/servers/server.ts";
import { Environment } from "../../../base/files/src/http/environment.ts";
import { readStoreSettings, type StoreSettings } from "../files/src/store/settings.ts";
import { expectRefusal, open } from "./support.ts";

describe("postgres driver over TLS", () => {
  let its: FreshServer | undefined;
  let settings: StoreSettings;
  const folder = mkdtempSync(join(tmpdir(), "tls-"));
  const pem = (name: string) => readFileSync(join(folder, name), "utf8");

  /** A certificate of its own for 127.0.0.1, put into the running server by its superuser. */
  beforeAll(async () => {
    its = await freshServer("postgres15");
    if (!its) return;
    const request = [
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-days",
      "2",
      "-keyout",
      "key.pem",
      "-out",
      "cert.pem",
    ];
    const names = ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"];
    execFileSync("openssl", [...request, ...names], { cwd: folder, stdio: "ignore" });
    const client = new Client({ connectionString: its.url });
    await client.connect();
    for (const [from, to] of [
      ["cert.pem", "server.crt"],
      ["key.pem", "server.key"],
    ] as const) {
      const lines = `SELECT unnest(string_to_array('${pem(from).trim()}', E'\\n'))`;
      await client.query(`COPY (${lines}) TO PROGRAM 'umask 077; cat > ${to}'`);
    }
    await client.query("ALTER SYSTEM SET ssl = on");
    await client.query("SELECT pg_reload_conf()");
    await client.end();
    settings = readStoreSettings(new Environment({ DATABASE_URL: its.url }));
  }, 120_000);

  beforeEach((context) => context.skip(its === undefined, "no PostgreSQL of Debian's here"));

  afterAll(async () => {
    await its?.stop();
    rmSync(folder, { recursive: true });
  });

  test("P3: with its authority every mode works, bound to the channel or not", async () => {
    for (const mode of ["require", "verify-ca", "verify-full"] as const) {
      for (const channelBinding of [false, true]) {
        const driver = open({ ...settings, tls: { mode, ca: pem("cert.pem"), channelBinding } });
        await driver.setup();
        await driver.check();
      }
    }
  });

  test("F3: a certificate of another authority, or for another name, is refused and names its setting", async () => {
    const mine = { ...settings, fromUrl: false };
    const unknown = { ...mine, tls: { mode: "verify-full", channelBinding: false } as const };
    await expectRefusal(unknown, /self-signed certificate.*; check PGSSLMODE and PGSSLROOTCERT\.$/);
    const tls = { mode: "verify-full", ca: pem("cert.pem"), channelBinding: false } as const;
    await expectRefusal({ ...mine, host: "localhost", tls }, /check PGSSLMODE and PGSSLROOTCERT\.$/);
    await open({ ...mine, host: "localhost", tls: { ...tls, mode: "verify-ca" } }).ping();
    await open({ ...mine, tls: { mode: "require", channelBinding: false } }).ping();
  });
});
