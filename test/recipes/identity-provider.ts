// A SAML identity provider on loopback (the npm package samlp), on another site than the app.
// Change it when a test needs another kind of response from it.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { temporaryFolder } from "../generator/sandbox.ts";
import { run } from "../servers/machine.ts";
import { load } from "./project.ts";

interface Samlp {
  default: { auth(options: object): (...values: unknown[]) => void };
}

interface Express {
  default: (() => ExpressApp) & { urlencoded(options: object): unknown };
}

interface ExpressApp {
  get(path: string, ...handlers: unknown[]): void;
  (...values: unknown[]): void;
}

export interface IdentityProvider {
  signIn: string;
  issuer: string;
  /** The file that the app trusts. */
  certificate: string;
}

/** Signs in whoever `?user=` names, or asks by a form. Listens on 127.0.0.1, which is another site than localhost. */
export async function startIdentityProvider(project: string): Promise<IdentityProvider> {
  const [{ default: samlp }, { default: express }] = await Promise.all([
    load<Samlp>(project, "samlp"),
    load<Express>(project, "express"),
  ]);
  const folder = temporaryFolder();
  const [certificate, key] = [join(folder, "idp.pem"), join(folder, "idp.key")];
  const options = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=the identity provider"];
  await run(["openssl", "req", ...options, "-keyout", key, "-out", certificate]);

  const app = express();
  const server = createServer(app).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  type Request = { query: Record<string, string> };
  type Response = { send(html: string): void };
  const own = {
    issuer,
    cert: readFileSync(certificate),
    key: readFileSync(key),
    signResponse: true,
    getUserFromRequest: ({ query }: Request) => ({ id: query.user, emails: [], name: {} }),
    // A provider posts to the address that was registered, whatever a request says.
    getPostURL: (audience: string, _request: unknown, _: unknown, done: (error: null, url: string) => void) =>
      done(null, new URL("/saml/return", audience).href),
  };
  app.get(
    "/saml",
    ({ query }: Request, response: Response, next: () => void) => {
      if (query.user !== undefined) return next();
      const hidden = ["SAMLRequest", "RelayState"].map(
        (name) => `<input type="hidden" name="${name}" value="${(query[name] ?? "").replaceAll('"', "&quot;")}">`,
      );
      response.send(
        `<form><label>Who are you?<input name="user"></label>${hidden.join("")}<button>Go on</button></form>`,
      );
    },
    samlp.auth(own),
  );
  // A sign-in that begins here, at the page with everybody's apps: no app has requested it.
  app.get("/apps", (request: Request, ...rest: unknown[]) => {
    samlp.auth({ ...own, audience: request.query.app })(request, ...rest);
  });
  return { signIn: `${issuer}/saml`, issuer, certificate };
}
