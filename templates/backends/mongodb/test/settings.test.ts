// What the MongoDB driver says of wrong settings, and of addresses where no MongoDB answers.
// Change it when a setting is added, or an error gets another line.

import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { listen, PASSWORD } from "../../../../test/drivers/broken.ts";
import { freePorts } from "../../../../test/servers/machine.ts";
import { Environment } from "../../../base/files/src/http/environment.ts";
import { describeStore, readStoreSettings } from "../files/src/store/settings.ts";
import { expectRefusal, LOGIN, read } from "./support.ts";

describe("mongodb settings", () => {
  test("P3: one server, several, or a name to look up", () => {
    const several = read(`mongodb://${LOGIN}@a.example:27017,b.example:27018/shop?replicaSet=rs0`);
    expect(several).toMatchObject({
      servers: "a.example:27017,b.example:27018",
      database: "shop",
      collection: "sessions",
    });
    expect(describeStore(several)).toBe("MongoDB at a.example:27017,b.example:27018, database shop");
    expect(read("mongodb+srv://cluster.example/shop").servers).toBe("cluster.example");
    expect(readStoreSettings(new Environment({})).servers).toBe("localhost:27017");
  });

  test.each([
    [`postgres://${LOGIN}@h/d`],
    [`mongodb://${LOGIN}@h`],
    [`mongodb://${LOGIN}@h/a.b`],
    [`mongodb://${LOGIN}@h/d?nosuchoption=1`],
    [`mongodb://${LOGIN}@h:port/d`],
    [`mongodb://app:${PASSWORD}@h/d`],
    [`mongodb://app:p%zz@h/d`],
    [`mongodb://${LOGIN}@h/d?tls=maybe`],
    [`mongodb://${LOGIN}@h/d?replicaSet=rs0&w=0`],
    [`mongodb://${LOGIN}@h/d?tls=true&tlsCAFile=/no/such/file`],
  ])("P3: a malformed URL is refused in a line that names it: %s", (url) => {
    expect(() => read(url)).toThrow(expect.objectContaining({ name: "ConfigError" }));
    expect(() => read(url)).toThrow(/^MONGODB_URL[^\n]{5,250}$/);
    expect(() => read(url)).not.toThrow(/s3cret|p%zz/);
  });

  test.each(["a.b", "$a", "", "system.users", "x".repeat(64), "a\u0000b"])("F6: %j names no collection", (name) => {
    if (name) expect(() => read("mongodb://h/d", name)).toThrow(/^MONGODB_COLLECTION must/);
    else expect(read("mongodb://h/d", name).collection).toBe("sessions");
  });

  test("F3: no such host, nothing on the port", async () => {
    const [port = 0] = await freePorts(1);
    await expectRefusal(
      `mongodb://${LOGIN}@no-such-host.invalid/d`,
      /^MONGODB_URL: there is no such host: .*no-such-host\.invalid/,
    );
    await expectRefusal(
      `mongodb://${LOGIN}@127.0.0.1:${port}/d`,
      /^MONGODB_URL: nothing answers there: .*ECONNREFUSED/,
    );
  });

  test.each<[string, (socket: Socket) => void]>([
    ["nothing", () => undefined],
    ["a closed door", (socket) => socket.destroy()],
    ["a banner", (socket) => socket.write("SSH-2.0-OpenSSH_9.2p1\r\n")],
    ["an HTTP error", (socket) => socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")],
    ["MySQL's greeting", (socket) => socket.write(Buffer.from("4a0000000a392e372e34000800000001020304", "hex"))],
    ["noise", (socket) => socket.write(Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 73) % 256)))],
  ])("F3, F6: a port where something else listens (%s) is named, and no process ends", async (_, respond) => {
    const port = await listen(respond);
    await expectRefusal(
      `mongodb://${LOGIN}@127.0.0.1:${port}/d`,
      new RegExp(`^MONGODB_URL: .*127\\.0\\.0\\.1:${port}`),
    );
  });
});
