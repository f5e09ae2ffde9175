// A session as the fields of a Redis hash, and back.
// Add a property's field here, in both directions.

import { type SessionRow, UnreadableRow } from "../session/contract.ts";

/** Field, value, field, value. A key of `data` is a field with quotes, its JSON text. */
export function toFields(row: SessionRow): string[] {
  const { id: _id, secretHash, userid, data, ...rest } = row;
  const fields = ["secretHash", encodeHash(secretHash)];
  for (const [field, value] of Object.entries(rest)) fields.push(field, `${value}`);
  if (userid !== null) fields.push("userid", JSON.stringify(userid));
  for (const [key, value] of Object.entries(JSON.parse(data) as object)) {
    fields.push(JSON.stringify(key), JSON.stringify(value));
  }
  return fields;
}

export function toRow(id: string, hash: Record<string, string>): SessionRow | undefined {
  const entries = Object.entries(hash);
  if (entries.length === 0) return undefined;
  const secretHash = new Uint8Array(Buffer.from(text(hash, "secretHash"), "base64"));
  if (secretHash.length !== 32) throw new UnreadableRow("The session's secret hash is not 32 bytes long");
  return {
    id,
    secretHash,
    userid: readUserid(hash.userid),
    created: integer(hash, "created"),
    updated: integer(hash, "updated"),
    authenticated: integer(hash, "authenticated"),
    idle: integer(hash, "idle"),
    expires: integer(hash, "expires"),
    ipaddress: text(hash, "ipaddress"),
    useragent: text(hash, "useragent"),
    data: readData(entries.filter(([field]) => field.startsWith('"'))),
    version: integer(hash, "version"),
  };
}

export function encodeHash(secretHash: Uint8Array): string {
  return Buffer.from(secretHash).toString("base64");
}

function readData(entries: [string, string][]): string {
  let data = "";
  for (const [field, value] of entries) data += `${data && ","}${field}:${value}`;
  data = `{${data}}`;
  // What was spoilt by hand must show here, not in a handler.
  if (parseJson(data) === undefined) throw new UnreadableRow("The session's data is no JSON");
  return data;
}

function readUserid(json: string | undefined): string | null {
  if (json === undefined) return null;
  const userid = parseUserid(json);
  if (userid === undefined) throw new UnreadableRow("The session's field userid is no JSON text of a string");
  return userid;
}

/** undefined: it isn't the JSON text of a string. */
export function parseUserid(json: string): string | undefined {
  const userid = parseJson(json);
  return typeof userid === "string" ? userid : undefined;
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function text(hash: Record<string, string>, field: string): string {
  const value = hash[field];
  if (value === undefined) throw new UnreadableRow(`The session has no field ${field}`);
  return value;
}

function integer(hash: Record<string, string>, field: string): number {
  const value = Number(text(hash, field));
  if (!Number.isSafeInteger(value)) throw new UnreadableRow(`The session's field ${field} is no whole number`);
  return value;
}
