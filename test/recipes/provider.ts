// An OpenID Connect provider on loopback (the npm package oidc-provider), and a person who signs in there.
// Change it when a recipe needs another kind of client.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Client, Reply } from "./client.ts";
import { load } from "./project.ts";

interface OidcProvider {
  Session: { prototype: { authTime(): number | undefined; loginTs?: number } };
  callback(): Parameters<typeof createServer>[1];
  on(event: string, listener: (...values: unknown[]) => void): void;
}

type ProviderClass = { default: new (issuer: string, configuration: object) => OidcProvider };

export interface Provider {
  issuer: string;
  /** Lets what it says of sign-ins be that many seconds older than they are. */
  remembersFor(seconds: number): void;
  close(): void;
}

const client = { id: "my-app", secret: "a-secret-of-the-provider" };

interface Options {
  redirects: string[];
  afterLogout?: string[];
  signedInSecondsAgo?: number;
}

export async function startProvider(project: string, more: Options): Promise<Provider> {
  const { default: OidcProvider } = await load<ProviderClass>(project, "oidc-provider");
  const server: Server = createServer().listen(0, "localhost");
  await once(server, "listening");
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`;
  const provider = new OidcProvider(issuer, {
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        redirect_uris: more.redirects,
        post_logout_redirect_uris: more.afterLogout ?? [],
        // The browser of these tests runs without TLS.
        application_type: "native",
        token_endpoint_auth_method: "client_secret_post",
      },
    ],
    cookies: { keys: ["a key of the provider"] },
    features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  });
  let age = more.signedInSecondsAgo ?? 0;
  provider.Session.prototype.authTime = function authTime() {
    return this.loginTs === undefined ? undefined : this.loginTs - age;
  };
  server.on("request", provider.callback() as () => void);
  const remembersFor = (seconds: number) => {
    age = seconds;
  };
  return { issuer, remembersFor, close: () => void server.close() };
}

/** Follows the app's redirect to the provider, signs in and consents there, and follows back to the app, as far as `stop`. */
export async function signInAtProvider(
  browser: Client,
  path: string,
  login: string,
  stop?: string,
): Promise<Reply & { url: string }> {
  let page = await browser.follow(path, stop);
  for (let forms = 0; forms < 3; forms += 1) {
    const action = /<form[^>]* action="([^"]+)"/.exec(page.text)?.[1];
    const prompt = /name="prompt" value="(\w+)"/.exec(page.text)?.[1];
    if (action === undefined || prompt === undefined) return page;
    const reply = await browser.form(new URL(action, page.url).href, { prompt, login, password: "any" });
    page = await browser.follow(new URL(reply.headers.get("location") ?? "", page.url).href, stop);
  }
  throw new Error(`the provider goes on asking: ${page.text}`);
}
