// What the CouchDB driver says of wrong settings, and of addresses where no CouchDB answers.
// Change it when a setting is added, or an error gets another line.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { StoreUnavailable } from "../../../../runtime/src/session/contract.ts";
import { failure, PASSWORD } from "../../../../test/drivers/broken.ts";
import { START } from "../../../../test/drivers/rows.ts";
import { freePorts, run } from "../../../../test/servers/machine.ts";
import { Environment } from "../../../base/files/src/http/environment.ts";
import { describeStore, readStoreSettings } from "../files/src/store/settings.ts";
import { expectRefusal, open, portOf, read, SECRET } from "./support.ts";

describe("couchdb settings", () => {
  test("P3: the URL and the variables say the same", () => {
    const url = `http://app:${SECRET}@127.0.0.1:5984/`;
    expect(readStoreSettings(new Environment({ COUCHDB_URL: url }))).toEqual({ ...read(), fromUrl: true });
    expect(read({ COUCHDB_URL: `https://${SECRET}@[::1]/couch/`, COUCHDB_DATABASE: "shop_1" })).toEqual({
      url: "https://[::1]/couch",
      user: PASSWORD,
      password: "",
      database: "shop_1",
      fromUrl: true,
    });
    expect(read({ COUCHDB_HOST: "::1", COUCHDB_PORT: "1" }).url).toBe("http://[::1]:1");
    expect(describeStore(read())).toBe("CouchDB at 127.0.0.1:5984, database sessions");
    expect(describeStore(read({ COUCHDB_URL: `https://u:${SECRET}@h` }))).toBe(
      "CouchDB at https://h, database sessions",
    );
  });

  test.each([
    ["COUCHDB_URL", { COUCHDB_URL: `couch://app:${SECRET}@h` }],
    ["COUCHDB_URL", { COUCHDB_URL: PASSWORD }],
    ["COUCHDB_URL", { COUCHDB_URL: `http://app:%zz${SECRET}@h` }],
    ["COUCHDB_URL", { COUCHDB_URL: `http://app:${SECRET}@h/?database=a` }],
    ["COUCHDB_HOST", { COUCHDB_HOST: "http://h" }],
    ["COUCHDB_HOST", { COUCHDB_HOST: `app:${SECRET}@h` }],
    ["COUCHDB_HOST", { COUCHDB_HOST: "a b" }],
    ["COUCHDB_PORT", { COUCHDB_PORT: "70000" }],
    ["COUCHDB_DATABASE", { COUCHDB_DATABASE: "Sessions" }],
    ["COUCHDB_DATABASE", { COUCHDB_DATABASE: "_users" }],
    ["COUCHDB_DATABASE", { COUCHDB_DATABASE: "a/../_users" }],
    ["COUCHDB_DATABASE", { COUCHDB_DATABASE: "x".repeat(64) }],
  ])("P3, F6: a wrong %s is refused in a line that names it: %o", (name, wrong) => {
    expect(() => read(wrong)).toThrow(expect.objectContaining({ name: "ConfigError" }));
    expect(() => read(wrong)).toThrow(new RegExp(`^${name}[^\\n]{10,200}$`));
    expect(() => read(wrong)).not.toThrow(PASSWORD);
    expect(() => read(wrong)).not.toThrow(SECRET);
  });

  test("F3: no such host, nothing on the port: each names its setting", async () => {
    const [port = 0] = await freePorts(1);
    await expectRefusal(
      read({ COUCHDB_HOST: "no-such-host.invalid" }),
      /^COUCHDB_HOST: there is no such host: .*no-such-host/,
    );
    await expectRefusal(
      read({ COUCHDB_PORT: `${port}` }),
      /^COUCHDB_HOST and COUCHDB_PORT: nothing answers there: .*ECONNREFUSED/,
    );
    await expectRefusal(
      read({ COUCHDB_PORT: `${port}`, COUCHDB_HOST: "localhost" }),
      /^COUCHDB_HOST and COUCHDB_PORT: nothing answers/,
    );
    await expectRefusal(
      read({ COUCHDB_URL: `http://app:${SECRET}@127.0.0.1:${port}` }),
      /^COUCHDB_URL: nothing answers there/,
    );
  });

  test.each<[string, (socket: Socket) => void]>([
    ["nothing", () => undefined],
    ["a closed door", (socket) => socket.destroy()],
    ["a banner", (socket) => socket.write("SSH-2.0-OpenSSH_9.2p1\r\n")],
    ["Redis", (socket) => socket.write("-ERR unknown command 'GET'\r\n")],
    ["a page", (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p>a")],
    ["a page that isn't found", (socket) => socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")],
    [
      "half a response",
      (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{"a"'),
    ],
    ["a redirect", (socket) => socket.end("HTTP/1.1 301 Moved\r\nLocation: https://h/\r\nContent-Length: 0\r\n\r\n")],
    ["zeros", (socket) => socket.write(Buffer.alloc(4096))],
  ])("F3, F6: a port where something else listens (%s) is named, and no process ends", async (_, respond) => {
    const listening = createServer((socket) => respond(socket.resume()));
    const port = `${await portOf(listening)}`;
    await expectRefusal(read({ COUCHDB_PORT: port }), /^COUCHDB_(HOST|URL)/);
    await expectRefusal(read({ COUCHDB_URL: `https://app:${SECRET}@127.0.0.1:${port}` }), /^COUCHDB_URL: /);
  });

  test("F3: another JSON service is not taken for an empty database", async () => {
    const listening = createHttpServer((_, response) => {
      response.setHeader("content-type", "application/json");
      response.end('{"status":"fine"}');
    });
    const driver = open(read({ COUCHDB_PORT: `${await portOf(listening)}` }));
    const error = await failure(driver.read("x", { now: START }));
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(error.message).toMatch(/^COUCHDB_HOST and COUCHDB_PORT: the server there is not CouchDB/);
    expect(await failure(driver.setup())).toBeInstanceOf(StoreUnavailable);
  });

  test("F3: TLS that the two don't agree on names the setting", async () => {
    const folder = await mkdtemp(join(tmpdir(), "couchdb-tls-"));
    const [key, cert] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    await run(["openssl", "req", "-x509", ...curve, "-nodes", "-days", "2", "-keyout", key, "-out", cert, ...names]);
    try {
      const respond: RequestListener = (_, response) => void response.end("{}");
      const secured = createHttpsServer({ key: await readFile(key), cert: await readFile(cert) }, respond);
      const port = await portOf(secured);
      await expectRefusal(
        read({ COUCHDB_URL: `https://app:${SECRET}@localhost:${port}` }),
        /^COUCHDB_URL: no secure connection .*self-signed/,
      );
      await expectRefusal(
        read({ COUCHDB_URL: `http://app:${SECRET}@localhost:${port}` }),
        /^COUCHDB_URL: .*wants TLS \(https:\/\/\)/,
      );
      const plain = await portOf(createHttpServer(respond));
      await expectRefusal(
        read({ COUCHDB_URL: `https://app:${SECRET}@localhost:${plain}` }),
        /^COUCHDB_URL: no secure connection/,
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
