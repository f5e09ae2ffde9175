// What may be wrong when a project with MongoDB starts.
// Add what people get wrong, with the line that must name it. Logins are tested with replies, as no mongod can be had here.

import type { Starts } from "../../../test/drivers/fixture.ts";

export const starts: Starts = {
  variables: (url) => ({ MONGODB_URL: url.href, MONGODB_COLLECTION: `t_${process.pid}` }),
  // The stand-in has no users.
  withoutRights: async () => async () => undefined,
  wrong: [
    {
      what: "port",
      variables: ({ url, freePort }) => ({ MONGODB_URL: url.href.replace(`:${url.port}`, `:${freePort}`) }),
      line: /^MONGODB_URL: nothing answers/,
    },
    {
      what: "host",
      variables: ({ url }) => ({ MONGODB_URL: url.href.replace(url.hostname, "no-such-host.invalid") }),
      line: /^MONGODB_URL: there is no such host/,
    },
    {
      what: "TLS",
      variables: ({ url }) => ({ MONGODB_URL: `${url.href}?tls=true` }),
      line: /^MONGODB_URL: /,
    },
  ],
};
