// MongoDB's wire protocol, as far as a driver of today speaks it: OP_MSG, and OP_QUERY for the first hello.
// Change it when the driver sends another kind of message.

import { createServer, type Server, type Socket } from "node:net";
import { BSON } from "mongodb";

export type Document = BSON.Document;

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const CHECKSUM_PRESENT = 1;
const MORE_TO_COME = 2;
const HEADER = 16;

/** Numbers and binaries keep their types, so that a document leaves as it came. */
export function decode(bytes: Uint8Array): Document {
  return BSON.deserialize(bytes, {
    promoteValues: false,
    promoteLongs: false,
    promoteBuffers: false,
    bsonRegExp: true,
  });
}

export function encode(document: Document): Buffer {
  return Buffer.from(BSON.serialize(document, { ignoreUndefined: true }));
}

/** Replies to each command with what `run` returns. The commands of one connection run one after the other. */
export function wireServer(hello: () => Document, run: (command: Document) => Promise<Document>): Server {
  return createServer((socket) => {
    let received = Buffer.alloc(0);
    let last = Promise.resolve();
    // A client may go away at any time.
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes) => {
      received = received.length ? Buffer.concat([received, bytes]) : bytes;
      while (received.length >= HEADER && received.length >= received.readInt32LE(0)) {
        const length = received.readInt32LE(0);
        const message = received.subarray(0, length);
        received = received.subarray(length);
        last = last
          .then(() => reply(socket, message, hello, run))
          .catch((error) => {
            console.error(error);
            socket.destroy();
          });
      }
    });
  });
}

async function reply(
  socket: Socket,
  message: Buffer,
  hello: () => Document,
  run: (command: Document) => Promise<Document>,
): Promise<void> {
  const operation = message.readInt32LE(12);
  if (operation === OP_QUERY) {
    // Flags, cursor id and position are 0. The number of documents follows.
    const head = Buffer.alloc(20);
    head.writeInt32LE(1, 16);
    send(socket, message, OP_REPLY, [head, encode(hello())]);
  } else if (operation === OP_MSG) {
    const flags = message.readUInt32LE(HEADER);
    const result = await run(command(message, flags));
    if (!(flags & MORE_TO_COME)) send(socket, message, OP_MSG, [Buffer.alloc(5), encode(result)]);
  } else {
    socket.destroy();
  }
}

/** Returns the command's document, completed by the documents that came beside it. */
function command(message: Buffer, flags: number): Document {
  const end = message.length - (flags & CHECKSUM_PRESENT ? 4 : 0);
  const sequences: Document = {};
  let body: Document = {};
  let at = HEADER + 4;
  while (at < end) {
    const kind = message[at];
    const size = message.readInt32LE(at + 1);
    const section = message.subarray(at + 1, at + 1 + size);
    if (kind === 0) {
      body = decode(section);
    } else {
      const name = section.indexOf(0, 4);
      const documents: Document[] = [];
      for (let start = name + 1; start < size; start += section.readInt32LE(start)) {
        documents.push(decode(section.subarray(start, start + section.readInt32LE(start))));
      }
      sequences[section.toString("utf8", 4, name)] = documents;
    }
    at += 1 + size;
  }
  return { ...body, ...sequences };
}

let sent = 0;

function send(socket: Socket, request: Buffer, operation: number, parts: Buffer[]): void {
  const header = Buffer.alloc(HEADER);
  sent = (sent + 1) & 0x7fffffff;
  header.writeInt32LE(HEADER + parts.reduce((total, part) => total + part.length, 0), 0);
  header.writeInt32LE(sent, 4);
  header.writeInt32LE(request.readInt32LE(4), 8);
  header.writeInt32LE(operation, 12);
  socket.write(Buffer.concat([header, ...parts]));
}
