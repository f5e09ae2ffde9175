// What a session of this app holds: the type of `session.data` in every handler.
// Add a key and its type here; a handler that misspells it or stores another type no longer type-checks.

/** Every key is optional: a new session is empty. Values are whatever JSON can hold, 64 kB in all (SESSION_MAX_DATA_BYTES). */
export interface SessionData {
  /** How often this visitor was here. */
  visits?: number;
}
