// Redis on a Unix socket and over TLS.
// Change it when the driver learns another way to reach a server.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { beforeEach, describe, expect, test } from "vitest";
import { PASSWORD } from "../../../../test/drivers/broken.ts";
import { comparable, createRow, stored } from "../../../../test/drivers/rows.ts";
import { freePorts, program, run } from "../../../../test/servers/machine.ts";
import { Unavailable } from "../../../../test/servers/recipe.ts";
import { Unit } from "../../../../test/servers/unit.ts";
import { expectRefusal, open, prefix, read, SECRET } from "./support.ts";

/** Where it isn't installed the tests are skipped, except in CI. */
function findServer(): string | undefined {
  try {
    return program("redis-server", "apt-get install redis-server");
  } catch (error) {
    if (!(error instanceof Unavailable) || process.env.CI) throw error;
    return undefined;
  }
}

describe("redis driver on a server of another kind of address", () => {
  const server = findServer() ?? "";
  beforeEach((context) => context.skip(server === "", "no redis-server here"));

  test("P3: a Unix socket", async () => {
    const folder = await mkdtemp(join(tmpdir(), "redis-socket-"));
    const socket = join(folder, "redis.sock");
    const unit = new Unit({
      command: [server, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder],
      unprivileged: false,
      ready: (output) => /ready to accept connections/i.test(output),
      stopSignal: "SIGTERM",
    });
    try {
      await unit.start();
      const driver = open(read({ REDIS_URL: `unix://${socket}`, REDIS_PREFIX: prefix }));
      await driver.setup();
      const row = await createRow(driver, { userid: "near" });
      expect(comparable(await stored(driver, row.id))).toEqual(comparable(row));
      expect(await driver.endByUser("near", 10)).toEqual([row.id]);
    } finally {
      await unit.kill();
      await rm(folder, { recursive: true });
    }
  });

  test("TLS: with the right CA it connects; without, or by redis://, it says which setting is at fault", async () => {
    const folder = await mkdtemp(join(tmpdir(), "redis-tls-"));
    const [port = 0] = await freePorts(1);
    const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
    const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    await run([
      "openssl",
      ...request,
      "-keyout",
      key,
      "-out",
      certificate,
      "-subj",
      "/CN=localhost",
      "-addext",
      "subjectAltName=DNS:localhost",
    ]);
    const unit = new Unit({
      command: [
        ...[server, "--port", "0", "--tls-port", `${port}`, "--bind", "127.0.0.1", "--save", ""],
        ...[
          "--tls-cert-file",
          certificate,
          "--tls-key-file",
          key,
          "--tls-ca-cert-file",
          certificate,
          "--tls-auth-clients",
          "no",
        ],
        ...["--requirepass", PASSWORD, "--dir", folder],
      ],
      unprivileged: false,
      ready: (output) => output.includes("Ready to accept connections"),
      stopSignal: "SIGTERM",
    });
    try {
      await unit.start();
      const over = (protocol: string, host = "localhost") => [`${protocol}://:${SECRET}@${host}:${port}`];
      await expectRefusal(
        { ...read({ REDIS_PREFIX: prefix }), urls: over("rediss") },
        /^REDIS_URL: no secure connection .*self-signed/,
      );
      await expectRefusal(
        { ...read({ REDIS_PREFIX: prefix }), urls: over("redis") },
        /^REDIS_URL: .*wants TLS \(rediss:\/\/\)/,
      );
      const usual = getCACertificates("default");
      setDefaultCACertificates([...usual, await readFile(certificate, "utf8")]);
      try {
        const driver = open({ ...read({ REDIS_PREFIX: prefix }), urls: over("rediss") });
        await driver.setup();
        const row = await createRow(driver, { userid: "encrypted" });
        expect(comparable(await stored(driver, row.id))).toEqual(comparable(row));
        await expectRefusal(
          { ...read({ REDIS_PREFIX: prefix }), urls: over("rediss", "127.0.0.1") },
          /^REDIS_URL: no secure connection /,
        );
      } finally {
        setDefaultCACertificates(usual);
      }
    } finally {
      await unit.kill();
      await rm(folder, { recursive: true });
    }
  });
});
