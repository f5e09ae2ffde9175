// Session tokens: a public id that finds the session, and a secret that proves it.
// Change the sizes here, and the columns in the schema with them.
import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import { UnreadableRow } from "./contract.ts";

const ID_BYTES = 16;
const SECRET_BYTES = 32;
/** 48 bytes in URL-safe base64. */
const TOKEN = /^[A-Za-z0-9_-]{64}$/;

export interface Token {
  /** What the client holds. Never store it, log it or put it into a URL. */
  text: string;
  /** Finds the session: 22 characters of URL-safe base64. */
  id: string;
  /** A fast hash will do: 256 random bits can't be guessed. */
  secretHash: Buffer;
}

export function newToken(): Token {
  return fromBytes(randomBytes(ID_BYTES + SECRET_BYTES));
}

/** Another secret for the same session. The id stays, so that requests in flight still find their row. */
export function renewedToken(id: string): Token {
  return fromBytes(Buffer.concat([Buffer.from(id, "base64url"), randomBytes(SECRET_BYTES)]));
}

/** undefined: not a token. Garbage never reaches the store. */
export function parseToken(text: string): Token | undefined {
  return TOKEN.test(text) ? fromBytes(Buffer.from(text, "base64url"), text) : undefined;
}

/** In constant time, which must not tell how much of a guess was right. */
export function sameSecret(token: Token, stored: Uint8Array): boolean {
  if (stored.length !== token.secretHash.length) throw new UnreadableRow("the stored secret hash is not 32 bytes long");
  return timingSafeEqual(token.secretHash, stored);
}

function fromBytes(bytes: Buffer, text = bytes.toString("base64url")): Token {
  return {
    text,
    id: bytes.toString("base64url", 0, ID_BYTES),
    // By way of a string it takes half as long.
    secretHash: Buffer.from(hash("sha256", bytes.subarray(ID_BYTES), "binary"), "binary"),
  };
}
