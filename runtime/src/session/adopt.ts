// Takes over sessions of another system, such as express-session, so that nobody is signed out when an app moves here.
// What is known of the other system is in the Adoption that main.ts passes to Sessions; there is nothing to change here.
import { createHmac } from "node:crypto";
import { initialColumns } from "../session-columns.ts";
import type { SessionData } from "../session-data.ts";
import type { Client, SessionContext } from "./context.ts";
import { expiry, StoreUnavailable } from "./contract.ts";
import { changesOf, InvalidData, readData } from "./data.ts";
import { type Finding, findSession, rereadRow } from "./find.ts";
import type { SessionRequest } from "./request.ts";
import { parseToken, type Token } from "./token.ts";
import { checkUserid } from "./userid.ts";

const MIN_SECRET_LENGTH = 16;

/** How to find, read and end the sessions of another system. */
export interface Adoption {
  /**
   * Any secret of 16 characters at least, the same in all processes for as long as there are old cookies. Tokens are
   * derived with it, so that all requests with one old cookie get the same session.
   */
  secret: string;
  /** Returns the id of the old session for which the request has a cookie that is genuine; undefined without one. */
  identify(request: SessionRequest): string | undefined;
  /** Resolves to undefined where the old session has ended or expired. */
  read(oldId: string): Promise<OldSession | undefined>;
  /** Ends the old session. Called once the new one is stored. */
  remove(oldId: string): Promise<void>;
  /** The value of the Set-Cookie header that removes the old cookie. */
  clearCookie: string;
}

/** Times are integer seconds since 1970. */
export interface OldSession {
  userid: string | null;
  data: Record<string, unknown>;
  /** Unknown: now. The lifetime counts from then. */
  created?: number | undefined;
  /** When the user signed in. Unknown: so long ago that `session.fresh` asks for it again. */
  authenticated?: number | undefined;
  /** Seconds. Unknown: the setting. */
  idle?: number | undefined;
}

/** Throws InvalidData for a secret that could be guessed. */
export function checkAdoption({ secret }: Adoption): void {
  if (secret.length >= MIN_SECRET_LENGTH) return;
  throw new InvalidData(
    `The secret of the old sessions has fewer than ${MIN_SECRET_LENGTH} characters, and could be guessed. ` +
      "Give `adopt` the longer one that the old sessions were signed with, or remove `adopt`: their users sign in again then",
  );
}

/** Finds a session by its tokens, else by what the request has of the old system. */
export function findOrAdopt(
  context: SessionContext,
  adoption: Adoption,
  request: SessionRequest,
  tokens: readonly Token[],
  client: () => Client,
): Finding | Promise<Finding> {
  const takeOver = (finding: Finding) => {
    if (finding !== undefined) return finding;
    const oldId = adoption.identify(request);
    return oldId === undefined ? undefined : adopt(context, adoption, oldId, client);
  };
  const found = findSession(context, tokens, client);
  return found instanceof Promise ? found.then(takeOver) : takeOver(found);
}

async function adopt(
  context: SessionContext,
  adoption: Adoption,
  oldId: string,
  client: () => Client,
): Promise<Finding> {
  const token = deriveToken(adoption.secret, oldId);
  let found = await findSession(context, [token], client);
  if (found === undefined) {
    await takeOver(context, adoption, oldId, token, client);
    // Another request may have been faster: it is the same session then.
    found = await findSession(context, [token], client);
  }
  // Signed in anew since: the old cookie is worth nothing any more.
  if (typeof found !== "object") return found;
  return { ...found, clearCookie: adoption.clearCookie };
}

/** 48 bytes, as many as a token has. Nobody who knows old ids can derive it without the secret. */
function deriveToken(secret: string, oldId: string): Token {
  const text = createHmac("sha384", secret).update(oldId).digest("base64url");
  return parseToken(text) as Token;
}

/** Stores the new session, then removes the old one. Does nothing where the old one is gone. */
async function takeOver(
  context: SessionContext,
  adoption: Adoption,
  oldId: string,
  token: Token,
  client: () => Client,
): Promise<void> {
  const old = await askOldStore(context, () => adoption.read(oldId));
  if (old === undefined || !(await create(context, old, token, client))) return;
  const { guard, emit } = context;
  // Only who has created the session removes the old one. So if that is gone by now, another request has adopted it, and
  // its user has ended the session since: it must not come back.
  if ((await askOldStore(context, () => adoption.read(oldId))) === undefined) {
    await guard.run((driver) => driver.end(token.id));
    return;
  }
  emit({ type: "adopted", id: token.id, userid: old.userid });
  try {
    await askOldStore(context, () => adoption.remove(oldId));
  } catch (error) {
    // The user is signed in all the same.
    emit({ type: "warning", message: `An adopted session could not be removed: ${(error as Error).message}` });
  }
}

/** Resolves to false where another request was faster, or where the session can't be taken over. */
async function create(context: SessionContext, old: OldSession, token: Token, client: () => Client): Promise<boolean> {
  const { guard, settings, lifetime, emit } = context;
  const now = context.now();
  const { userid, created = now, authenticated = 0 } = old;
  const idle = Math.min(old.idle ?? settings.idle, lifetime);
  let data: string;
  try {
    if (userid !== null) checkUserid(userid, guard.driver.limits);
    data = changesOf(old.data as SessionData, readData("{}"), guard.driver.limits)?.text ?? "{}";
  } catch (error) {
    if (!(error instanceof InvalidData)) throw error;
    emit({ type: "warning", message: `An old session can't be adopted: ${error.message}` });
    return false;
  }
  const row = {
    id: token.id,
    secretHash: token.secretHash,
    userid,
    created,
    updated: now,
    authenticated,
    idle,
    expires: expiry(now, idle, created, lifetime),
    ...client(),
    columns: initialColumns,
    data,
    version: 1,
  };
  if (row.expires < now) return false;
  try {
    await guard.run((driver) => driver.create(row));
    return true;
  } catch (error) {
    if ((await rereadRow(context, token.id)) === undefined) throw error;
    return false;
  }
}

/** Rejects with StoreUnavailable, so that the response is 503: a visitor whose session can't be read is not a new one. */
async function askOldStore<T>({ settings }: SessionContext, ask: () => Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`no response in ${settings.storeTimeout} ms`)),
    settings.storeTimeout,
  );
  try {
    return await Promise.race([ask(), late]);
  } catch (cause) {
    throw new StoreUnavailable(`The store of the old sessions failed: ${(cause as Error).message}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}
