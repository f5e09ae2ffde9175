// Encodes a session as a MongoDB document, and decodes it.
// Change it to store a property in another form.

import { Binary, type Document } from "mongodb";
import type { SessionDocument } from "../../schema.ts";
import type { SessionInfo, SessionRow } from "../session/contract.ts";
import { initialColumns, type SessionColumns } from "../session-columns.ts";
import { decodeData, encodeData, unreadable } from "./stored-data.ts";

const OWN_COLUMNS = Object.keys(initialColumns);

/** A document without what lists don't show. */
export type InfoDocument = Omit<SessionDocument, "secretHash" | "data" | "version">;

/** Leaves out what lists don't show. */
export const infoProjection: Document = { secretHash: 0, data: 0, version: 0 };

export function date(seconds: number): Date {
  return new Date(seconds * 1000);
}

export function toDocument({ id, secretHash, expires, columns, data, ...rest }: SessionRow): SessionDocument {
  return {
    _id: id,
    secretHash: new Binary(secretHash),
    ...columns,
    ...rest,
    expires: date(expires),
    data: encodeData(data),
  };
}

export function toInfo(document: InfoDocument): SessionInfo {
  const { _id: id, userid, created, updated, authenticated, idle, ipaddress, useragent } = document;
  const expires = Math.floor(document.expires.getTime() / 1000);
  const columns: Record<string, unknown> = { ...initialColumns };
  const stored = document as unknown as Document;
  for (const name of OWN_COLUMNS) {
    // A session that was stored before the column was added has no such field.
    if (stored[name] !== undefined) columns[name] = stored[name];
  }
  return {
    ...{ id, userid, created, updated, authenticated, idle, expires, ipaddress, useragent },
    columns: columns as unknown as SessionColumns,
  };
}

/** Throws UnreadableRow for what isn't a document of this app. Whether its values are possible is for the runtime to judge. */
export function toRow(document: SessionDocument): SessionRow {
  const { _id: id, secretHash, expires, data, version } = document;
  if (!(secretHash instanceof Binary) || !(expires instanceof Date)) throw unreadable(id);
  return {
    ...toInfo(document),
    secretHash: new Uint8Array(secretHash.value()),
    data: decodeData(id, data),
    version,
  };
}
