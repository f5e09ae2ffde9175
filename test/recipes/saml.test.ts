// Sign-in by SAML at an identity provider of another site, in a real browser, since it decides which requests carry a cookie.
import { inflateRawSync } from "node:zlib";
import { expect, test } from "vitest";
import { freePort } from "../generator/registry.ts";
import { device, hasChromium } from "./chromium.ts";
import { Client, type Reply } from "./client.ts";
import { type IdentityProvider, startIdentityProvider } from "./identity-provider.ts";
import { followRecipe, type Running, run } from "./project.ts";

/** The app's clock differs from the provider's by CLOCK_OFFSET milliseconds. At SIGUSR2 two minutes have passed. */
const CLOCK = `const Real = Date;
let offset = Number(process.env.CLOCK_OFFSET ?? 0);
globalThis.Date = class extends Real {
  static now = () => Real.now() + offset;
  constructor(...values) {
    super(...(values.length === 0 ? [Date.now()] : values));
  }
};
process.once("SIGUSR2", () => {
  offset += 120_000;
  console.log("two minutes have passed");
});
`;

interface Started {
  app: string;
  provider: IdentityProvider;
  running: Running;
}

async function started(variables: Record<string, string> = {}): Promise<Started> {
  const project = await followRecipe({ page: "saml", framework: "express", files: { "clock.mjs": CLOCK } });
  const provider = await startIdentityProvider(project);
  const port = String(await freePort());
  const app = `http://localhost:${port}`;
  const running = await run(project, ["--import", "./clock.mjs", "src/main.ts"], {
    ...process.env,
    NODE_ENV: "development",
    PORT: port,
    APP_URL: app,
    SAML_SIGN_IN: provider.signIn,
    SAML_ISSUER: provider.issuer,
    SAML_CERTIFICATE: provider.certificate,
    ...variables,
  });
  return { app, provider, running };
}

test.skipIf(!hasChromium)(
  "S13 S17 S22: the provider's form brings no cookie, and its redirect signs in the session that asked",
  async () => {
    const { app, provider } = await started();
    const { page, context } = await device(app);
    await page.goto("/");
    await page.getByRole("button", { name: "Start a session" }).click();
    await page.getByLabel("Article").fill("teapot");
    await page.getByRole("button", { name: "Put in" }).click();
    const [asGuest] = await context.cookies(app);

    const cookies: Record<string, string | undefined> = {};
    page.on("request", async (request) => {
      const { pathname } = new URL(request.url());
      const headers = await request.allHeaders();
      if (pathname.startsWith("/saml/")) cookies[`${request.method()} ${pathname}`] = headers.cookie;
    });
    await page.goto("/saml/login?to=/session");
    expect(new URL(page.url()).origin).toBe(provider.issuer);
    await page.getByLabel("Who are you?").fill("ada");
    await page.getByRole("button", { name: "Go on" }).click();
    await page.waitForURL(`${app}/session`);
    const session = JSON.parse((await page.locator("pre").textContent()) ?? "");
    expect(session.userid).toBe(`${provider.issuer} ada`);
    expect(session.data.cart).toEqual({ teapot: 1 });
    expect(session.data.samlRequest).toBeUndefined();
    const [signedIn] = await context.cookies(app);
    expect(signedIn?.value).not.toBe(asGuest?.value);
    await expect
      .poll(() => Object.keys(cookies).sort())
      .toEqual(["GET /saml/done", "GET /saml/login", "POST /saml/return"]);
    expect(cookies["POST /saml/return"]).toBeUndefined();
    expect(cookies["GET /saml/done"]).toContain("session=");
  },
);

const done = (reply: Reply) => reply.headers.get("location") ?? "";

/** What a browser does between the app and the provider. */
function wayBack(app: string, provider: IdentityProvider) {
  const elsewhere = { origin: provider.issuer, "sec-fetch-site": "cross-site" };
  /** The fields of the form with which the provider sends the browser back. */
  const respond = async (browser: Client, user: string, to = "/session") => {
    const asked = (await browser.get(`/saml/login?to=${encodeURIComponent(to)}`)).headers.get("location") ?? "";
    return fieldsOf(await browser.get(`${asked}&user=${user}`));
  };
  const respondUnasked = async (user: string, audience = `${app}/`) =>
    fieldsOf(await new Client(provider.issuer).get(`/apps?user=${user}&app=${encodeURIComponent(audience)}`));
  /** As a browser posts it: without cookies. */
  const post = (fields: Record<string, string>): Promise<Reply> =>
    new Client(app).form("/saml/return", fields, elsewhere);
  return { respond, respondUnasked, post, elsewhere };
}

function fieldsOf({ text }: Reply): { SAMLResponse: string; RelayState: string } {
  const field = (name: string) => new RegExp(`name="${name}"\\s+value="([^"]*)"`).exec(text)?.[1] ?? "";
  return { SAMLResponse: field("SAMLResponse"), RelayState: field("RelayState") };
}

test("S11 S17: a response counts once, for the session that asked, and unchanged", async () => {
  const { app, provider } = await started();
  const { respond, respondUnasked, post, elsewhere } = wayBack(app, provider);

  const [ada, eve] = [new Client(app), new Client(app)];
  const fields = await respond(ada, "ada");
  expect(fields.RelayState).toBe("/session");
  const returned = await post(fields);
  expect(returned.status).toBe(303);
  // Another browser can't use it, whether it has asked for a sign-in or not.
  expect((await new Client(app).get(done(returned))).status).toBe(400);
  const request = new URL(done(await eve.get("/saml/login")));
  expect(request.searchParams.get("RelayState")).toBe("/");
  const sentXml = Buffer.from(request.searchParams.get("SAMLRequest") ?? "", "base64");
  expect(String(inflateRawSync(sentXml))).toContain(`AssertionConsumerServiceURL="${app}/saml/return"`);
  expect((await eve.get(done(returned))).status).toBe(400);
  expect((await eve.get("/session")).json.userid).toBe(null);
  const signedIn = await ada.get(done(returned));
  expect(signedIn.headers.get("location")).toBe(`${app}/session`);
  expect((await ada.get("/session")).json.userid).toBe(`${provider.issuer} ada`);
  // Nor does it count again.
  expect((await ada.get(done(returned))).status).toBe(400);
  expect((await ada.get(done(await post(fields)))).status).toBe(400);
  expect((await ada.get("/session")).json.userid).toBe(`${provider.issuer} ada`);

  // Changed in the name, in the ticket, signed by somebody else, or nothing of the kind.
  const xml = Buffer.from(fields.SAMLResponse, "base64").toString();
  const forged = Buffer.from(xml.replace(">ada<", ">admin<")).toString("base64");
  expect(xml).toContain(">ada<");
  expect((await post({ ...fields, SAMLResponse: forged })).status).toBe(400);
  // Not signed at all, or the assertion only: the request's id would be anybody's.
  const signature = /<(\w+:)?Signature[ >].*?<\/(\w+:)?Signature>/gs;
  const assertion = /<(\w+:)?Assertion[ >].*<\/(\w+:)?Assertion>/s.exec(xml)?.[0] ?? "";
  expect([assertion, xml.replace(assertion, "")].map((part) => part.match(signature)?.length)).toEqual([1, 1]);
  const [before = "", after = ""] = xml.split(assertion).map((part) => part.replace(signature, ""));
  for (const part of [assertion, assertion.replace(signature, "")]) {
    const SAMLResponse = Buffer.from(before + part + after).toString("base64");
    expect((await post({ ...fields, SAMLResponse })).status).toBe(400);
  }
  expect((await eve.get(done(returned).replace(/ticket=./, "ticket=X"))).status).toBe(400);
  const whole = new URL(done(returned), app).searchParams.get("ticket") ?? "";
  for (const ticket of ["", "x", "x.x", whole.slice(0, -1)]) {
    expect((await eve.get(`/saml/done?ticket=${ticket}`)).status, ticket).toBe(400);
  }
  expect((await new Client(app).post("/saml/return", { SAMLResponse: 5 }, elsewhere)).status).toBe(400);
  for (const SAMLResponse of ["", "x", Buffer.from("<a/>").toString("base64")]) {
    expect((await post({ SAMLResponse })).status).toBe(400);
  }
  const other = await startIdentityProvider(await followRecipe({ page: "saml", framework: "express" }));
  const asked = (await eve.get("/saml/login")).headers.get("location") ?? "";
  const { text } = await eve.get(`${asked.replace(provider.signIn, other.signIn)}&user=ada`);
  const SAMLResponse = /name="SAMLResponse"\s+value="([^"]*)"/.exec(text)?.[1] ?? "";
  expect(SAMLResponse).not.toBe("");
  expect((await post({ SAMLResponse })).status).toBe(400);

  // Nor does one that is meant for another app.
  expect((await post(await respondUnasked("eve", "https://other.example/"))).status).toBe(400);
  // Nor does a sign-in that begins at the provider, which anybody could send a victim to.
  const unasked = await post(await respondUnasked("eve"));
  expect(unasked.status).toBe(303);
  for (const victim of [new Client(app), ada]) expect((await victim.get(done(unasked))).status).toBe(400);

  // Nobody is sent to another site, and no other path is open.
  for (const to of ["https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:alert(1)"]) {
    const { headers } = await eve.get(done(await post(await respond(eve, "eve", to))));
    expect(new URL(headers.get("location") ?? "").origin).toBe(app);
  }
  expect((await eve.form("/logout", {}, elsewhere)).status).toBe(403);
});

test.each([
  ["SAML_SECRET", "31-characters-are-one-too-few.."],
  ["SAML_SIGN_IN", "idp"],
])("P3: %s=%s stops the start", async (name, value) => {
  await expect(started({ [name]: value })).rejects.toThrow(name);
});

test.each([
  { offset: 30, status: 303 },
  { offset: 90, status: 400 },
])("the provider's clock may be a minute ahead: $offset seconds are $status", async ({ offset, status }) => {
  const { app, provider } = await started({ CLOCK_OFFSET: String(-1000 * offset) });
  const { respond, post } = wayBack(app, provider);
  expect((await post(await respond(new Client(app), "ada"))).status).toBe(status);
});

test("S22: another organisation whose responses have the same certificate signs nobody in", async () => {
  const { app, provider } = await started({ SAML_ISSUER: "https://idp.example/another" });
  const { respond, post } = wayBack(app, provider);
  expect((await post(await respond(new Client(app), "ada"))).status).toBe(400);
});

test("S13 S22: who signs in where somebody else is signed in finds none of their data, and a sign-in is not kept for later", async () => {
  const { app, provider, running } = await started();
  const { respond, post } = wayBack(app, provider);
  const browser = new Client(app);
  await browser.get(done(await post(await respond(browser, "ada"))));
  await browser.send("PUT", "/session/data/cart", '{"value":[1]}', { "content-type": "application/json" });
  const before = browser.cookie;
  // The same user again keeps what is theirs, and has a new token.
  await browser.get(done(await post(await respond(browser, "ada"))));
  expect((await browser.get("/session")).json.data.cart).toEqual([1]);
  expect(browser.cookie).not.toBe(before);
  await browser.get(done(await post(await respond(browser, "grace"))));
  expect((await browser.get("/session")).json).toMatchObject({ userid: `${provider.issuer} grace`, data: {} });
  expect((await browser.get("/session")).json.data).toEqual({});

  const late = done(await post(await respond(browser, "ada")));
  running.process.kill("SIGUSR2");
  await running.printed(/two minutes have passed/);
  expect((await browser.get(late)).status).toBe(400);
  expect((await browser.get("/session")).json.userid).toBe(`${provider.issuer} grace`);
});

test.skipIf(!hasChromium)("S4: with SameSite=Strict the redirect would bring no cookie, as the page says", async () => {
  const { app } = await started({ SESSION_COOKIE_SAME_SITE: "strict" });
  const { page } = await device(app);
  await page.goto("/");
  await page.getByRole("button", { name: "Start a session" }).click();
  await page.goto("/saml/login?to=/session");
  await page.getByLabel("Who are you?").fill("ada");
  await page.getByRole("button", { name: "Go on" }).click();
  await page.waitForURL(/\/saml\/done/);
  expect(await page.locator("body").textContent()).toContain("This sign-in is not under way here.");
});
