// What may be wrong when a project with Redis starts.
// Add what people get wrong, with the line that must name it.

import { createClient } from "redis";
import type { Starts } from "../../../test/drivers/fixture.ts";

async function run(url: URL, ...words: string[]): Promise<void> {
  const client = await createClient({ url: url.href }).connect();
  await client.sendCommand(words);
  client.destroy();
}

function changed(url: URL, change: (url: URL) => void): Record<string, string> {
  const next = new URL(url);
  change(next);
  return { REDIS_URL: next.href };
}

export const starts: Starts = {
  variables: (url) => ({ REDIS_URL: url.href, REDIS_PREFIX: `t_${process.pid}` }),
  async withoutRights(url, user, password) {
    await run(url, "ACL", "SETUSER", user, "reset", "on", `>${password}`, "~*", "+ping");
    return () => run(url, "ACL", "DELUSER", user);
  },
  wrong: [
    {
      what: "password",
      variables: ({ url, password }) =>
        changed(url, (its) => {
          its.password = password;
        }),
      line: /^REDIS_URL: .*refuses this user/,
    },
    {
      what: "database",
      variables: ({ url }) =>
        changed(url, (its) => {
          its.pathname = "/9999";
        }),
      line: /^REDIS_URL: .*no such database/,
    },
    {
      what: "rights",
      variables: ({ url, user, password }) =>
        changed(url, (its) => {
          its.username = user;
          its.password = password;
        }),
      line: /^REDIS_URL: .*denies the user a permission/,
    },
    {
      what: "port",
      variables: ({ url, freePort }) =>
        changed(url, (its) => {
          its.port = String(freePort);
        }),
      line: /^REDIS_URL: nothing answers/,
    },
    {
      what: "TLS",
      variables: ({ url }) =>
        changed(url, (its) => {
          its.href = its.href.replace("redis:", "rediss:");
        }),
      line: /^REDIS_URL: no secure connection/,
    },
  ],
};
