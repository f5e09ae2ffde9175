// Session tokens: a public id that finds the session, and a secret that proves it; and how a request presents them.
// Change the sizes here, and the columns in the schema with them.
import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import type { SessionRequest } from "./request.ts";

const ID_BYTES = 16;
const SECRET_BYTES = 32;
/** The length of a SHA-256 hash. */
export const HASH_BYTES = 32;
/** 48 bytes in URL-safe base64. */
const TOKEN = /^[A-Za-z0-9_-]{64}$/;

/** How many cookies of the session's name are tried. */
const MAX_COOKIES = 3;

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

/** The tokens that a request presents: those of its cookies, else the one of Authorization: Bearer. */
interface Credentials {
  tokens: readonly Token[];
  /** Whether the token is in the Authorization header. A value of another form is another system's: no token here. */
  bearer: boolean;
  /** Whether no page can have made a browser send the request, since only scripts of this site can add that header. */
  unforgeable: boolean;
}

const NO_CREDENTIALS: Credentials = { tokens: [], bearer: false, unforgeable: false };

export function readCredentials(request: SessionRequest, cookieName: string): Credentials {
  const tokens: Token[] = [];
  for (const text of readCookies(request.header("cookie"), cookieName)) {
    const token = parseToken(text);
    if (token !== undefined && tokens.push(token) === MAX_COOKIES) break;
  }
  if (tokens.length > 0) return { tokens, bearer: false, unforgeable: false };
  const authorization = request.header("authorization");
  if (authorization === undefined) return NO_CREDENTIALS;
  const text = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
  const token = text === undefined ? undefined : parseToken(text);
  if (token === undefined) return { tokens, bearer: false, unforgeable: text !== undefined };
  return { tokens: [token], bearer: true, unforgeable: true };
}

/** Returns all values of that name, in the browser's order. */
export function readCookies(header: string | undefined, name: string): string[] {
  // Most anonymous requests end here.
  if (header === undefined || !header.includes(name)) return [];
  const start = `${name}=`;
  const values: string[] = [];
  for (const cookie of header.split(";")) {
    const pair = cookie.trim();
    if (pair.startsWith(start)) values.push(pair.slice(start.length));
  }
  return values;
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
