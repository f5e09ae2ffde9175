// What may be wrong when a project with CouchDB starts.
// Add what people get wrong, with the line that must name it.

import type { Starts } from "../../../test/drivers/fixture.ts";

/** Sends a request as the server's admin. */
async function send(url: URL, path: string, method: string, body?: object): Promise<Record<string, unknown>> {
  const authorization = `Basic ${btoa(`${url.username}:${url.password}`)}`;
  const headers = { authorization, accept: "application/json", "content-type": "application/json" };
  const response = await fetch(url.origin + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  return (await response.json()) as Record<string, unknown>;
}

function changed(url: URL, change: (url: URL) => void): Record<string, string> {
  const next = new URL(url);
  change(next);
  return { COUCHDB_URL: next.href };
}

export const starts: Starts = {
  variables: (url) => ({ COUCHDB_URL: url.href, COUCHDB_DATABASE: `t_${process.pid}` }),
  async withoutRights(url, user, password) {
    const path = `/_users/org.couchdb.user:${user}`;
    const { rev } = await send(url, path, "PUT", { name: user, password, roles: [], type: "user" });
    return async () => void (await send(url, `${path}?rev=${String(rev)}`, "DELETE"));
  },
  wrong: [
    {
      what: "password",
      // Of the user without rights: CouchDB locks a user out after some wrong passwords.
      variables: ({ url, user }) =>
        changed(url, (its) => {
          its.username = user;
          its.password = "not-the-password";
        }),
      line: /^COUCHDB_URL: .*refuses user "/,
    },
    {
      what: "rights",
      variables: ({ url, user, password }) =>
        changed(url, (its) => {
          its.username = user;
          its.password = password;
        }),
      line: /^COUCHDB_URL: .*denies user "[^"]*" a permission/,
    },
    {
      what: "port",
      variables: ({ url, freePort }) =>
        changed(url, (its) => {
          its.port = String(freePort);
        }),
      line: /^COUCHDB_URL: nothing answers/,
    },
    {
      what: "TLS",
      variables: ({ url }) =>
        changed(url, (its) => {
          its.href = its.href.replace("http:", "https:");
        }),
      line: /^COUCHDB_URL: no secure connection/,
    },
  ],
};
