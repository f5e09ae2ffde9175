// The app's own columns: finds which of them a request has changed, and refuses what no column can hold.
// To add a column, change ../session-columns.ts, not this file.
import { initialColumns, type SessionColumns } from "../session-columns.ts";
import type { StoreLimits } from "./contract.ts";
import { checkText, InvalidData } from "./data.ts";

type Values = Record<string, unknown>;

/** Returns the columns whose values differ; undefined if none does. Throws InvalidData for what can't be stored. */
export function columnsChange(
  columns: SessionColumns,
  stored: SessionColumns,
  limits: StoreLimits = {},
): Partial<SessionColumns> | undefined {
  const now: Values = { ...columns };
  const before: Values = { ...stored };
  const changed = Object.keys(now).filter((name) => now[name] !== undefined && now[name] !== before[name]);
  for (const name of changed) check(name, now[name], limits);
  return changed.length === 0 ? undefined : Object.fromEntries(changed.map((name) => [name, now[name]]));
}

function check(name: string, value: unknown, limits: StoreLimits): void {
  const path = `session.columns.${name}`;
  if (!Object.hasOwn(initialColumns, name)) throw new InvalidData(`${path} is not listed in src/session-columns.ts`);
  const isStorable = typeof value === "string" || value === null || Number.isFinite(value);
  if (!isStorable) throw new InvalidData(`${path} must be text, a number or null`);
  if (typeof value === "string") checkText(value, path, limits);
}
