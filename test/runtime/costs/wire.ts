// A proxy before a store's server that counts what goes over the wire: statements, round trips, bytes. Benchmarks use it too.
// Change it when a server with another protocol joins.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { ServerName } from "../../servers/server.ts";

const QUIET_MS = 100;

export interface Traffic {
  /** Statements, commands or HTTP requests of clients, without those that only prepare another or keep a connection. */
  statements: number;
  /** How often a client has sent something after the server had. Of statements that are sent together only the first counts. */
  trips: number;
  /** In both directions. */
  bytes: number;
}

export interface Wire {
  /** The server's URL with the proxy's address in it. */
  url: string;
  /** What has been counted since the last call. */
  take(): Traffic;
  /** Resolves when nothing has come for a moment. */
  quiet(): Promise<void>;
  close(): void;
}

/** Takes whole messages from the bytes that it is given, and returns how many of them are statements. */
type Counter = (bytes: Buffer) => number;

const counters: Partial<Record<ServerName, () => Counter>> = {
  postgres: () => {
    let isFirst = true;
    return inMessages((bytes) => {
      // The first message has no letter before its length.
      const head = isFirst ? 0 : 1;
      if (bytes.length < head + 4) return undefined;
      const length = head + bytes.readInt32BE(head);
      if (bytes.length < length) return undefined;
      const letter = isFirst ? "" : String.fromCharCode(bytes[0] ?? 0);
      isFirst = false;
      // Execute or Query.
      return { length, statements: letter === "E" || letter === "Q" ? 1 : 0 };
    });
  },
  mariadb: () =>
    inMessages((bytes) => {
      const length = bytes.length < 4 ? Number.POSITIVE_INFINITY : 4 + bytes.readUIntLE(0, 3);
      if (bytes.length < length) return undefined;
      // The first packet of a command: COM_QUERY or COM_STMT_EXECUTE.
      const isStatement = bytes[3] === 0 && (bytes[4] === 0x03 || bytes[4] === 0x17);
      return { length, statements: isStatement ? 1 : 0 };
    }),
  redis: () =>
    inMessages((bytes) => {
      let position = 0;
      const line = () => {
        const end = bytes.indexOf("\r\n", position);
        if (end < 0) return undefined;
        const number = Number(bytes.toString("latin1", position + 1, end));
        position = end + 2;
        return number;
      };
      const parts = line();
      if (parts === undefined) return undefined;
      for (let part = 0; part < parts; part++) {
        const length = line();
        if (length === undefined || bytes.length < position + length + 2) return undefined;
        position += length + 2;
      }
      return { length: position, statements: 1 };
    }),
  mongodb: () =>
    inMessages((bytes) => {
      const length = bytes.length < 4 ? Number.POSITIVE_INFINITY : bytes.readInt32LE(0);
      if (bytes.length < length) return undefined;
      // After the header of an OP_MSG, its flags, the kind of its section, the document's length and the element's type.
      const command = bytes.toString("latin1", 26, bytes.indexOf(0, 26));
      return { length, statements: /^(?:hello|ismaster|endSessions)$/i.test(command) ? 0 : 1 };
    }),
  couchdb: () => (bytes) =>
    bytes.toString("latin1").match(/^(?:GET|PUT|POST|DELETE|HEAD) \S+ HTTP\/1\.1\r$/gm)?.length ?? 0,
};

function inMessages(next: (bytes: Buffer) => { length: number; statements: number } | undefined): Counter {
  let rest = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    let statements = 0;
    for (let message = next(rest); message !== undefined; message = next(rest)) {
      statements += message.statements;
      rest = rest.subarray(message.length);
    }
    return statements;
  };
}

export async function countingProxy(server: ServerName, url: string): Promise<Wire> {
  const makeCounter = counters[server];
  if (makeCounter === undefined) throw new Error(`The protocol of ${server} can't be counted.`);
  const target = new URL(url);
  const sockets = new Set<Socket>();
  const none: Traffic = { statements: 0, trips: 0, bytes: 0 };
  let traffic = { ...none };
  const proxy = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const count = makeCounter();
    let isClientsTurn = true;
    client.on("data", (bytes: Buffer) => {
      if (isClientsTurn) traffic.trips++;
      isClientsTurn = false;
      traffic.bytes += bytes.length;
      traffic.statements += count(bytes);
    });
    upstream.on("data", (bytes: Buffer) => {
      isClientsTurn = true;
      traffic.bytes += bytes.length;
    });
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) {
      sockets.add(socket.setNoDelay());
      // The other end has gone; its own side sees that.
      socket.on("error", () => socket.destroy()).on("close", () => sockets.delete(socket));
    }
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const through = new URL(url);
  through.host = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  return {
    url: through.href,
    async quiet() {
      let before: number;
      do {
        before = traffic.bytes;
        await sleep(QUIET_MS);
      } while (traffic.bytes !== before);
    },
    take() {
      const taken = traffic;
      traffic = { ...none };
      return taken;
    },
    close() {
      proxy.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
