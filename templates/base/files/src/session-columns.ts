// Columns of your own that every session has beside `data`, so that the store can index and query them.
// Add one here and to the schema; handlers then read and set it as `session.columns.tenant`.

/** A column holds text, a number or null, and is called the same in the store. For example: `tenant: string | null;` */
export interface SessionColumns {}

/** The values with which a session starts. Every column must be listed, for example: `tenant: null` */
export const initialColumns: SessionColumns = {};
