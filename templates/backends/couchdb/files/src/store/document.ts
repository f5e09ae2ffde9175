// Encodes a session as a CouchDB document, decodes it, and applies a change to it.
// Change it to store a property in another form.

import {
  expiry,
  patchData,
  type SessionChange,
  type SessionInfo,
  type SessionRow,
  UnreadableRow,
} from "../session/contract.ts";
import { initialColumns, type SessionColumns } from "../session-columns.ts";

/** What lists show of a session. The columns of the app's own lie beside these fields. */
export interface InfoDocument {
  /** Has a prefix, since CouchDB keeps ids that begin with `_` to itself. */
  _id: string;
  _rev?: string;
  /** JSON text of the userid, percent-encoded: views sort by the rules of a language, under which different texts can be equal. */
  user?: string;
  created: number;
  updated: number;
  authenticated: number;
  idle: number;
  expires: number;
  ipaddress: string;
  useragent: string;
}

export interface Document extends InfoDocument {
  /** Other versions that a cluster or a replication has left. Never written. */
  _conflicts?: string[];
  /** Base64. */
  secretHash: string;
  /** JSON text, since CouchDB would round some numbers, and refuse some keys and halves of surrogate pairs. */
  data: string;
  version: number;
}

const OWN_COLUMNS = Object.keys(initialColumns);

/** The fields of an InfoDocument, for queries. */
export const INFO_FIELDS = [
  ...["_id", "_rev", "user", "created", "updated", "authenticated", "idle", "expires", "ipaddress", "useragent"],
  ...OWN_COLUMNS,
];

const ID_PREFIX = "session-";
/** "~" comes after every character of URL-safe base64. */
export const LAST_ID = `${ID_PREFIX}~`;

export function documentId(id: string): string {
  return ID_PREFIX + id;
}

export function sessionId(documentId: string): string {
  return documentId.slice(ID_PREFIX.length);
}

export function encodeUser(userid: string): string {
  return encodeURIComponent(JSON.stringify(userid));
}

/** undefined for what isn't an encoded user. */
function decodeUser(user: unknown): string | undefined {
  try {
    const userid: unknown = JSON.parse(decodeURIComponent(String(user)));
    return typeof userid === "string" ? userid : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof URIError) return undefined;
    throw error;
  }
}

export function toDocument(row: SessionRow, rev?: string): Document {
  const { id, secretHash, userid, useragent, ipaddress, columns, ...rest } = row;
  return {
    _id: documentId(id),
    ...(rev !== undefined && { _rev: rev }),
    secretHash: Buffer.from(secretHash).toString("base64"),
    ...(userid !== null && { user: encodeUser(userid) }),
    ...columns,
    ...rest,
    ipaddress: ipaddress.toWellFormed(),
    useragent: useragent.toWellFormed(),
  };
}

/** Shows a user that can't be decoded as it is stored. */
export function toInfo(document: InfoDocument): SessionInfo {
  const { _id, user, created, updated, authenticated, idle, expires, ipaddress, useragent } = document;
  const columns: Record<string, unknown> = { ...initialColumns };
  const stored = document as unknown as Record<string, unknown>;
  for (const name of OWN_COLUMNS) {
    // A session that was stored before the column was added has no such field.
    if (stored[name] !== undefined) columns[name] = stored[name];
  }
  return {
    id: sessionId(_id),
    userid: user === undefined ? null : (decodeUser(user) ?? user),
    ...{ created, updated, authenticated, idle, expires, ipaddress, useragent },
    columns: columns as unknown as SessionColumns,
  };
}

/** Throws UnreadableRow for a user or a hash that can't be decoded. The runtime judges everything else. */
export function toRow(document: Document): SessionRow {
  const { user, secretHash, data, version } = document;
  if (user !== undefined && decodeUser(user) === undefined) throw unreadable("user");
  if (typeof secretHash !== "string") throw unreadable("secretHash");
  return { ...toInfo(document), secretHash: new Uint8Array(Buffer.from(secretHash, "base64")), data, version };
}

/** Returns the row that is to be written, or why nothing is. Throws UnreadableRow where there is no number to count with. */
export function applyChange(row: SessionRow, change: SessionChange): SessionRow | "gone" | "conflict" {
  for (const name of ["created", "updated", "idle", "expires", "version"] as const) {
    if (!Number.isSafeInteger(row[name])) throw unreadable(name);
  }
  if (row.expires < change.now) return "gone";
  if (change.ifVersion !== undefined && change.ifVersion !== row.version) return "conflict";
  if (change.ifSecretHash && !Buffer.from(change.ifSecretHash).equals(row.secretHash)) return "conflict";
  const next = {
    ...row,
    userid: change.userid === undefined ? row.userid : change.userid,
    secretHash: change.secretHash ?? row.secretHash,
    authenticated: change.authenticated ?? row.authenticated,
    idle: change.idle ?? row.idle,
    columns: { ...row.columns, ...change.columns },
    data: patched(row.data, change),
    version: row.version + 1,
  };
  if (change.touch) {
    next.updated = Math.max(row.updated, change.now);
    next.expires = expiry(next.updated, next.idle, next.created, change.touch.lifetime);
  }
  return next;
}

function patched(data: string, change: SessionChange): string {
  try {
    return patchData(data, change);
  } catch (error) {
    if (error instanceof SyntaxError) throw unreadable("data");
    throw error;
  }
}

function unreadable(field: string): UnreadableRow {
  return new UnreadableRow(`The field "${field}" of the session is not what this app stores`);
}
