// Finds the session that a request's token belongs to, and decides whether the request may have it.
// Change here how a token is presented, and what ends or hides a session.
import type { CheckedRow, Client, Match, SessionContext } from "./context.ts";
import type { FoundRow } from "./contract.ts";
import { cookieName, isSecure, readCookies } from "./cookie.ts";
import type { SessionRequest } from "./request.ts";
import { isExpired, readRow } from "./rows.ts";
import type { SessionSettings } from "./settings.ts";
import { equalHashes, parseToken, type Token } from "./token.ts";

/** "renewed": the session has another secret by now. */
export type Finding = Match | "renewed" | undefined;

/** How many cookies of the session's name are tried. */
const MAX_COOKIES = 3;

/** The tokens that a request presents: those of its cookies, else the one of Authorization: Bearer. */
interface Credentials {
  tokens: readonly Token[];
  /** Whether the token is in the Authorization header. A value of another form is another system's: no token here. */
  bearer: boolean;
  /** Whether no page can have made a browser send the request, since only scripts of this site can add that header. */
  unforgeable: boolean;
}

export function readCredentials(request: SessionRequest, settings: SessionSettings, isHttps: boolean): Credentials {
  const name = cookieName(settings, isSecure(settings, isHttps));
  const tokens = readCookies(request.header("cookie"), name).flatMap((text) => parseToken(text) ?? []);
  if (tokens.length > 0) return { tokens: tokens.slice(0, MAX_COOKIES), bearer: false, unforgeable: false };
  const text = /^Bearer +(\S+) *$/i.exec(request.header("authorization") ?? "")?.[1];
  const token = text === undefined ? undefined : parseToken(text);
  if (token === undefined) return { tokens, bearer: false, unforgeable: text !== undefined };
  return { tokens: [token], bearer: true, unforgeable: true };
}

/**
 * Resolves to the first token's session. There is one token as a rule; cookies of the same name for a longer path or a
 * domain make several. Synchronous where the driver is.
 */
export function findSession(
  context: SessionContext,
  tokens: readonly Token[],
  client: () => Client,
): Finding | Promise<Finding> {
  const [first, ...others] = tokens;
  if (first === undefined) return undefined;
  const found = findByToken(context, first, client);
  return others.length === 0 ? found : findAmong(context, found, others, client);
}

async function findAmong(
  context: SessionContext,
  first: Finding | Promise<Finding>,
  others: readonly Token[],
  client: () => Client,
): Promise<Finding> {
  let best = await first;
  for (const token of others) {
    if (typeof best === "object") return best;
    best = (await findByToken(context, token, client)) ?? best;
  }
  return best;
}

function findByToken(context: SessionContext, token: Token, client: () => Client): Finding | Promise<Finding> {
  const { settings, lifetime, now } = context;
  const touch = { lifetime, every: settings.touchEvery, secretHash: token.secretHash };
  const found = readRow(context, token.id, { now: now(), touch });
  if (!(found instanceof Promise)) return validate(context, token, found, client);
  return found.then((row) => validate(context, token, row, client));
}

/** Decides whether the request may have the session. */
function validate(
  context: SessionContext,
  token: Token,
  found: CheckedRow | undefined,
  client: () => Client,
): Finding | Promise<undefined> {
  if (found === undefined) return undefined;
  const { row, data } = found;
  if (!equalHashes(token.secretHash, row.secretHash)) return "renewed";
  if (isExpired(context, row)) {
    context.emit({ type: "expired", id: row.id, userid: row.userid });
    return undefined;
  }
  const violated = violatedLock(context.settings, row, client);
  if (violated === undefined) return { row, data, token };
  // A connection that is gone has no address any more, which is no reason to end the session.
  return context.settings.ipAddressLock && client().ipaddress === "" ? undefined : endLocked(context, row, violated);
}

function violatedLock(
  { ipAddressLock, userAgentLock }: SessionSettings,
  row: FoundRow,
  client: () => Client,
): "ipaddress" | "useragent" | undefined {
  if (ipAddressLock && row.ipaddress !== client().ipaddress) return "ipaddress";
  return userAgentLock && row.useragent !== client().useragent ? "useragent" : undefined;
}

/** Either of the two clients may hold a stolen token, so that neither goes on with it. */
async function endLocked(
  { guard, emit }: SessionContext,
  { id, userid }: FoundRow,
  by: "ipaddress" | "useragent",
): Promise<undefined> {
  await guard.run((driver) => driver.end(id));
  emit({ type: "locked", id, userid, by });
  emit({ type: "ended", id, userid, reason: "locked" });
}
