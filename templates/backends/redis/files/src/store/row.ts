// Encodes a session as the fields of a Redis hash, and decodes it.
// Change it to store a property in another form.

import { type SessionInfo, type SessionRow, UnreadableRow } from "../session/contract.ts";
import { initialColumns, type SessionColumns } from "../session-columns.ts";

const OWN_COLUMNS = Object.keys(initialColumns);

/** The fields that lists read, in the order in which `toInfo` expects their values. */
export const INFO_FIELDS = [
  "userid",
  "created",
  "updated",
  "authenticated",
  "idle",
  "expires",
  "ipaddress",
  "useragent",
  ...OWN_COLUMNS,
];

/** Fields and values in turns. The field of a key of `data` is the key's JSON text, which begins with a quote. */
export function toFields(row: SessionRow): string[] {
  const { id: _id, secretHash, userid, columns, data, ...rest } = row;
  const fields = ["secretHash", encodeHash(secretHash), ...toColumnFields(columns)];
  for (const [field, value] of Object.entries(rest)) fields.push(field, `${value}`);
  if (userid !== null) fields.push("userid", encodeUserid(userid));
  for (const [key, value] of Object.entries(JSON.parse(data) as object)) {
    fields.push(JSON.stringify(key), JSON.stringify(value));
  }
  return fields;
}

/** The app's own columns are stored as JSON, which keeps numbers, texts and null apart. */
export function toColumnFields(columns: Partial<SessionColumns>): string[] {
  return Object.entries(columns).flatMap(([name, value]) => [name, JSON.stringify(value)]);
}

export function encodeHash(secretHash: Uint8Array): string {
  return Buffer.from(secretHash).toString("base64");
}

/** JSON, because UTF-8 can't represent half of a surrogate pair. */
export function encodeUserid(userid: string): string {
  return JSON.stringify(userid);
}

/** Returns the text itself where it isn't the JSON text of a string: lists then show what is stored. */
function decodeUserid(text: string): string {
  const userid = parseJson(text);
  return typeof userid === "string" ? userid : text;
}

/**
 * From fields and values in turns, as `toFields` makes them; undefined if there are none. Throws UnreadableRow for a user or
 * a column of the app's own that isn't JSON. The runtime judges everything else: a number that isn't one becomes NaN here,
 * and a text that is missing becomes null.
 */
export function toRow(id: string, fields: readonly string[]): SessionRow | undefined {
  if (fields.length === 0) return undefined;
  const properties = new Map<string, string>();
  let data = "";
  for (let index = 0; index < fields.length; index += 2) {
    const [field = "", value = ""] = [fields[index], fields[index + 1]];
    if (field.startsWith('"')) data += `${data && ","}${field}:${value}`;
    else properties.set(field, value);
  }
  for (const field of ["userid", ...OWN_COLUMNS]) {
    const text = properties.get(field);
    if (text !== undefined && parseJson(text) === undefined) {
      throw new UnreadableRow(`The session's field "${field}" is not JSON`);
    }
  }
  const values = INFO_FIELDS.map((field) => properties.get(field) ?? null);
  return {
    ...toInfo(id, values),
    secretHash: new Uint8Array(Buffer.from(properties.get("secretHash") ?? "", "base64")),
    data: `{${data}}`,
    version: toNumber(properties.get("version")),
  };
}

/** `values` are those of INFO_FIELDS. */
export function toInfo(id: string, values: readonly (string | null)[]): SessionInfo {
  const [userid, created, updated, authenticated, idle, expires, ipaddress, useragent, ...own] = values;
  const columns: Record<string, unknown> = { ...initialColumns };
  for (const [index, name] of OWN_COLUMNS.entries()) {
    // A session that was stored before the column was added has no such field.
    const text = own[index];
    if (text != null) columns[name] = parseJson(text);
  }
  return {
    id,
    userid: userid == null ? null : decodeUserid(userid),
    created: toNumber(created),
    updated: toNumber(updated),
    authenticated: toNumber(authenticated),
    idle: toNumber(idle),
    expires: toNumber(expires),
    ipaddress: ipaddress as string,
    useragent: useragent as string,
    columns: columns as unknown as SessionColumns,
  };
}

function toNumber(text: string | null | undefined): number {
  return text == null || text === "" ? Number.NaN : Number(text);
}

/** undefined if the text isn't JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
