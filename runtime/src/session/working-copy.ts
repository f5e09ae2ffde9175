// The data and the columns that handlers read and change, compared with what is stored.
// Change here what counts as a change of them.
import { initialColumns, type SessionColumns } from "../session-columns.ts";
import type { SessionData } from "../session-data.ts";
import { columnsChange } from "./columns.ts";
import type { SessionContext } from "./context.ts";
import type { SessionRow } from "./contract.ts";
import { changesOf, copyOf, type DataChange, DataTooLarge, readData, type StoredData } from "./data.ts";

/** Copies are made when they are asked for. `row` is what is stored as far as the request knows; undefined before that. */
export class WorkingCopy {
  readonly #context: SessionContext;
  #data: SessionData | undefined;
  #columns: SessionColumns | undefined;
  /** The parsed data of the row. */
  #stored: StoredData | undefined;

  constructor(context: SessionContext, stored?: StoredData) {
    this.#context = context;
    this.#stored = stored;
  }

  data(row: SessionRow | undefined): SessionData {
    this.#data ??= copyOf(this.#storedData(row));
    return this.#data;
  }

  setData(data: SessionData): void {
    this.#data = Object.assign(Object.create(null), data);
  }

  columns(row: SessionRow | undefined): SessionColumns {
    this.#columns ??= { ...(row?.columns ?? initialColumns) };
    return this.#columns;
  }

  setColumns(columns: SessionColumns): void {
    this.#columns = { ...columns };
  }

  /** The data as JSON text. */
  text(row: SessionRow | undefined): string {
    return this.dataChange(row)?.text ?? this.#storedData(row).text;
  }

  /** Throws InvalidData or DataTooLarge for what can't be stored. */
  dataChange(row: SessionRow | undefined): DataChange | undefined {
    if (this.#data === undefined) return undefined;
    const stored = this.#storedData(row);
    const change = changesOf(this.#data, stored, this.#context.guard.driver.limits);
    if (change !== undefined) checkSize(this.#context, change.text, stored.text);
    return change;
  }

  /** Throws InvalidData for what can't be stored. */
  columnsChange(row: SessionRow | undefined): Partial<SessionColumns> | undefined {
    if (this.#columns === undefined) return undefined;
    return columnsChange(this.#columns, row?.columns ?? initialColumns, this.#context.guard.driver.limits);
  }

  /**
   * Follows from one row to the next. Data and columns change in place, so that code that holds them sees it.
   * @param values the data as of now
   * @param seen the data, as JSON text, that `values` is based on: what was changed since then stays changed
   */
  rebase(from: SessionRow | undefined, to: SessionRow | undefined, values: SessionData, seen: string): void {
    const later = this.#data && changesOf(this.#data, readData(seen));
    if (this.#columns !== undefined) Object.assign(this.#columns, to?.columns, this.columnsChange(from));
    const data = this.data(to) as unknown as Record<string, unknown>;
    for (const key of Object.keys(data)) if (!Object.hasOwn(values, key)) delete data[key];
    Object.assign(data, values);
    for (const key of later?.remove ?? []) delete data[key];
    for (const [key, json] of later?.set ?? []) data[key] = JSON.parse(json);
  }

  #storedData(row: SessionRow | undefined): StoredData {
    const text = row?.data ?? "{}";
    if (this.#stored?.text !== text) this.#stored = readData(text);
    return this.#stored as StoredData;
  }
}

/** Throws DataTooLarge. A session that is too large already may still shrink. */
export function checkSize({ settings }: SessionContext, text: string, stored: string): void {
  const bytes = Buffer.byteLength(text);
  if (bytes > settings.maxDataBytes && bytes > Buffer.byteLength(stored)) {
    throw new DataTooLarge(
      `The session's data would be ${bytes} bytes, more than the ${settings.maxDataBytes} allowed`,
    );
  }
}
