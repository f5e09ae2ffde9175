// A session as a CouchDB document, and back; and a change applied to it.
// Add a property's field here, in both directions.

import { expiry, patchData, type SessionChange, type SessionRow, UnreadableRow } from "../session/contract.ts";

export interface Document {
  /** With a prefix, since CouchDB keeps ids that begin with `_` to itself. */
  _id: string;
  _rev?: string;
  /** Other versions that a cluster or replication has left. Never written. */
  _conflicts?: string[];
  /** Base64. */
  secretHash: string;
  /** JSON text of the userid, percent-encoded: views sort by language rules, under which different strings can be equal. */
  user?: string;
  created: number;
  updated: number;
  authenticated: number;
  idle: number;
  expires: number;
  ipaddress: string;
  useragent: string;
  /** JSON text: CouchDB would round numbers, and refuse some keys and halves of surrogate pairs. */
  data: string;
  version: number;
}

const PREFIX = "session-";
/** "~" comes after all of URL-safe base64. */
export const LAST_ID = `${PREFIX}~`;

export function documentId(id: string): string {
  return PREFIX + id;
}

export function sessionId(documentId: string): string {
  return documentId.slice(PREFIX.length);
}

export function encodeUser(userid: string): string {
  return encodeURIComponent(JSON.stringify(userid));
}

export function decodeUser(user: unknown): string | undefined {
  try {
    const userid: unknown = JSON.parse(decodeURIComponent(String(user)));
    return typeof userid === "string" ? userid : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof URIError) return undefined;
    throw error;
  }
}

export function toDocument(row: SessionRow, rev?: string): Document {
  const { id, secretHash, userid, useragent, ipaddress, ...rest } = row;
  return {
    _id: documentId(id),
    ...(rev !== undefined && { _rev: rev }),
    secretHash: Buffer.from(secretHash).toString("base64"),
    ...(userid !== null && { user: encodeUser(userid) }),
    ...rest,
    ipaddress: ipaddress.toWellFormed(),
    useragent: useragent.toWellFormed(),
  };
}

export function toRow(document: Document): SessionRow {
  const { _id, secretHash, user, data, ipaddress, useragent } = document;
  const hash = new Uint8Array(Buffer.from(text(secretHash, "secretHash"), "base64"));
  if (hash.length !== 32) throw new UnreadableRow("The session's secret hash is not 32 bytes long");
  return {
    id: sessionId(_id),
    secretHash: hash,
    userid: user === undefined ? null : text(decodeUser(user), "user"),
    created: integer(document.created, "created"),
    updated: integer(document.updated, "updated"),
    authenticated: integer(document.authenticated, "authenticated"),
    idle: integer(document.idle, "idle"),
    expires: integer(document.expires, "expires"),
    ipaddress: text(ipaddress, "ipaddress"),
    useragent: text(useragent, "useragent"),
    data: objectText(data),
    version: integer(document.version, "version"),
  };
}

/** The row that is to be written, or why nothing is. */
export function applyChange(row: SessionRow, change: SessionChange): SessionRow | "gone" | "conflict" {
  if (row.expires < change.now) return "gone";
  if (change.ifVersion !== undefined && change.ifVersion !== row.version) return "conflict";
  if (change.ifSecretHash && !Buffer.from(change.ifSecretHash).equals(row.secretHash)) return "conflict";
  const next = {
    ...row,
    userid: change.userid === undefined ? row.userid : change.userid,
    secretHash: change.secretHash ?? row.secretHash,
    authenticated: change.authenticated ?? row.authenticated,
    idle: change.idle ?? row.idle,
    data: patchData(row.data, change),
    version: row.version + 1,
  };
  if (change.touch) {
    next.updated = Math.max(row.updated, change.now);
    next.expires = expiry(next.updated, next.idle, next.created, change.touch.lifetime);
  }
  return next;
}

function text(value: unknown, field: string): string {
  if (typeof value !== "string") throw new UnreadableRow(`The session's field ${field} is no text`);
  return value;
}

function integer(value: unknown, field: string): number {
  if (!Number.isSafeInteger(value)) throw new UnreadableRow(`The session's field ${field} is no whole number`);
  return value as number;
}

/** What was spoilt by hand must show here, not in a handler. */
function objectText(data: unknown): string {
  try {
    const value: unknown = JSON.parse(text(data, "data"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return data as string;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new UnreadableRow("The session's data is no JSON text of an object");
}
