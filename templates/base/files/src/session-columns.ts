// Columns of your own that every session has besides `data`, so that the store can index and query them.
// Add one here and to the schema; handlers then read and set it as `session.columns.<name>`.

/** A column holds text, a number, or null. A property's name here is the column's name in the store. */
// biome-ignore lint/suspicious/noEmptyInterface: it is here to be filled in.
export interface SessionColumns {}

/** The values with which a session starts; every column must be listed. */
export const initialColumns: SessionColumns = {};
