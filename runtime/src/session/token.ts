// Session tokens: a public id that finds the session, and a secret that proves it.
// Change the sizes here, and the columns in the schema with them.
import { hash, randomBytes, timingSafeEqual } from "node:crypto";

const ID_BYTES = 16;
const SECRET_BYTES = 32;
/** The length of a SHA-256 hash. */
export const HASH_BYTES = 32;
/** 48 bytes in URL-safe base64. */
const TOKEN = /^[A-Za-z0-9_-]{64}$/;

export interface Token {
  /** What the client holds. Never store it, log it or put it into a URL. */
  text: string;
  /** Finds the session: 22 characters of URL-safe base64. */
  id: string;
  /** SHA-256 of the secret. A fast hash is enough, since 256 random bits can't be guessed. */
  secretHash: Buffer;
}

export function newToken(): Token {
  return fromBytes(randomBytes(ID_BYTES + SECRET_BYTES));
}

/** A new secret for the same session. The id stays, so that requests in flight still find their row. */
export function renewedToken(id: string): Token {
  return fromBytes(Buffer.concat([Buffer.from(id, "base64url"), randomBytes(SECRET_BYTES)]));
}

/** Returns undefined for anything that is not formed like a token, so that garbage never reaches the store. */
export function parseToken(text: string): Token | undefined {
  return TOKEN.test(text) ? fromBytes(Buffer.from(text, "base64url"), text) : undefined;
}

/** Compares in constant time: how long it takes must not reveal how much of a guess was right. */
export function equalHashes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

function fromBytes(bytes: Buffer, text = bytes.toString("base64url")): Token {
  return {
    text,
    id: bytes.toString("base64url", 0, ID_BYTES),
    secretHash: hash("sha256", bytes.subarray(ID_BYTES), "buffer"),
  };
}
