// What the parts of the runtime share, and what they hand to each other.
import type { FoundRow } from "./contract.ts";
import type { StoredData } from "./data.ts";
import type { EventHook } from "./events.ts";
import type { Guard } from "./guard.ts";
import type { Renewals } from "./renewals.ts";
import type { SessionSettings } from "./settings.ts";
import type { Token } from "./token.ts";
import type { Turns } from "./turns.ts";

/** Shared by all sessions of one Sessions object. */
export interface SessionContext {
  settings: SessionSettings;
  /** Seconds; UNLIMITED where the settings say 0. */
  lifetime: number;
  guard: Guard;
  turns: Turns;
  renewals: Renewals;
  emit: EventHook;
  /** Emits a warning unless this very one has been emitted before. */
  warnOnce(message: string): void;
  /** Integer seconds since 1970. */
  now(): number;
}

/** Who has sent a request. */
export interface Client {
  /** Normalised; empty where the connection is gone. */
  ipaddress: string;
  useragent: string;
}

/** A row that has the right types and possible values. */
export interface CheckedRow {
  row: FoundRow;
  /** The row's `data`, parsed. */
  data: StoredData;
}

/** The session that a request's token belongs to. */
export interface Match extends CheckedRow {
  /** The token that has proved it. */
  token: Token;
  /** For an adopted session, whose token the client has yet to learn: the Set-Cookie that removes the old cookie. */
  clearCookie?: string;
}

/** What is known of a request when its session is made. */
export interface SessionOptions {
  /** Called when a session starts. */
  client(): Client;
  /** The client sends its token as Authorization: Bearer, and gets no cookie. */
  bearer: boolean;
  /** The token is formed well, but belongs to no live session. */
  bearerIsStale?: boolean;
  /** The session was opened outside the middleware: it ends when another request gives it a new secret. */
  opened?: boolean;
  /** Why this request can't have a session; undefined where it can. */
  unavailable?: string | undefined;
  match?: Match | undefined;
}
