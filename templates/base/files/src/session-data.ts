// What a session of this app holds: the type of `session.data` in every handler.
// Add a key and its type here; a handler that misspells it or stores another type no longer type-checks.

/** Every key is optional: a new session is empty. Values are whatever JSON can hold, 64 kB in all (maxDataBytes). */
export interface SessionData {
  /** How often the page was opened. */
  visits?: number;
  /** The shopping cart: quantity by article number. */
  cart?: Record<string, number>;
  /** How the page looks; without it, as the browser prefers. */
  theme?: "light" | "dark";
}
