// The clients of the suite: a visitor, a guest with a session, someone who is signed in, a program with a token.
// Change it when the suite needs another kind of visitor.

import { randomBytes } from "node:crypto";
import { expect, onTestFinished } from "vitest";
import { Client, type HttpResponse } from "../client.ts";

/** What is tested: a URL, and where there is a store that outlives the process, a way to start it again. */
export interface Target {
  name: string;
  url: () => string;
  /** Restarts the app on the same store; undefined for memory. */
  restart?: (() => Promise<void>) | undefined;
  persistent: boolean;
}

export const PASSWORD = "demo";

/** A client without cookies, closed when the test ends. */
export function visitor(target: Target, headers?: Record<string, string>): Client {
  const client = new Client(target.url, headers);
  onTestFinished(() => client.close());
  return client;
}

/** A client with a session, nobody signed in. */
export async function guest(target: Target, headers?: Record<string, string>): Promise<Client> {
  const client = visitor(target, headers);
  expectStatus(await client.set("guest", true), 200);
  expect(token(client), "the first write sets the cookie").toMatch(/^[\w-]{64}$/);
  return client;
}

export async function signedIn(target: Target, userid: string, headers?: Record<string, string>): Promise<Client> {
  const client = visitor(target, headers);
  await signIn(client, userid);
  return client;
}

export async function signIn(client: Client, userid: string): Promise<HttpResponse> {
  const response = await client.post("/login", { json: { userid, password: PASSWORD } });
  expectStatus(response, 200);
  return response;
}

/** A program that holds a token and sends it as Bearer. */
export async function program(target: Target): Promise<{ client: Client; token: string; id: string }> {
  const started = await visitor(target).post("/session");
  expectStatus(started, 201);
  return {
    client: visitor(target, { authorization: `Bearer ${started.json.token}` }),
    token: started.json.token,
    id: started.json.id,
  };
}

/** The token in the client's cookie. */
export function token(client: Client): string | undefined {
  return client.cookies.get("session");
}

/** The session that a token opens, looked at without changing the client that holds it; undefined if it opens none. */
// biome-ignore lint/suspicious/noExplicitAny: the shape of a body is what the tests check
export async function sessionOf(target: Target, secret: string | undefined): Promise<any> {
  const looker = new Client(target.url, { cookie: `session=${secret}` });
  try {
    const response = await looker.get("/session");
    if (response.status === 404) return undefined;
    expectStatus(response, 200);
    return response.json;
  } finally {
    looker.close();
  }
}

/** A user that no other test and no earlier run knows. */
export function someone(name = "user"): string {
  return `${name}-${randomBytes(6).toString("hex")}`;
}

/** Fails with the response's text, which says more than two numbers do. */
export function expectStatus(response: Pick<HttpResponse, "status" | "text">, ...statuses: number[]): void {
  if (!statuses.includes(response.status))
    expect.fail(`status ${response.status} instead of ${statuses.join(" or ")}: ${response.text.slice(0, 500)}`);
}

/** `{error}` and nothing else that could leak: no stack, no path of the server. */
export function expectError(response: HttpResponse, ...statuses: number[]): void {
  expectStatus(response, ...statuses);
  expect(response.json, `a JSON body, not ${response.text.slice(0, 200)}`).toBeTypeOf("object");
  expect(response.json.error).toBeTypeOf("string");
  expect(response.json.error).not.toBe("");
  expectNoInsides(response);
}

/** Expects that the response shows no stack trace and no path of the server. */
export function expectNoInsides(response: Pick<HttpResponse, "text">): void {
  expect(response.text).not.toMatch(/\n\s+at |node_modules|node:internal|\.ts:\d+/);
}
