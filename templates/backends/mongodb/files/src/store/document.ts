// A session as a MongoDB document, and back.
// Add a property's field here, in both directions, and in schema.ts.

import { Binary } from "mongodb";
import type { SessionDocument } from "../../schema.ts";
import { type SessionRow, UnreadableRow } from "../session/contract.ts";
import { decode, encode, field, unreadable } from "./stored-data.ts";

export function date(seconds: number): Date {
  return new Date(seconds * 1000);
}

export function toDocument({ id, secretHash, expires, data, ...rest }: SessionRow): SessionDocument {
  const fields = Object.entries(JSON.parse(data) as object).map(([key, value]) => {
    return [field(key), encode(key, JSON.stringify(value))] as const;
  });
  return {
    _id: id,
    secretHash: new Binary(secretHash),
    ...rest,
    expires: date(expires),
    data: Object.fromEntries(fields),
  };
}

/** One that was spoilt must not hide the others. */
export function readable(documents: SessionDocument[]): SessionRow[] {
  return documents.flatMap((document) => {
    try {
      return [fromDocument(document)];
    } catch (error) {
      if (error instanceof UnreadableRow) return [];
      throw error;
    }
  });
}

export function fromDocument(document: SessionDocument): SessionRow {
  const { _id: id, secretHash, userid, created, updated, authenticated, idle, expires, version } = document;
  const { ipaddress, useragent } = document;
  const hash = secretHash instanceof Binary ? new Uint8Array(secretHash.value()) : undefined;
  const numbers = [created, updated, authenticated, idle, version];
  const texts = [ipaddress, useragent, userid ?? ""];
  const whole =
    hash?.length === 32 &&
    expires instanceof Date &&
    numbers.every((value) => typeof value === "number") &&
    texts.every((value) => typeof value === "string");
  if (!whole) throw unreadable(id);
  return {
    ...{ id, secretHash: hash, userid: userid ?? null, created, updated, authenticated, idle, version },
    ...{ expires: Math.floor(expires.getTime() / 1000), ipaddress, useragent, data: decode(id, document.data) },
  };
}
