// What may be wrong when a project with PostgreSQL starts.
// Add what people get wrong, with the line that must name it.

import { Client } from "pg";
import type { Starts } from "../../../test/drivers/fixture.ts";

async function run(url: URL, ...statements: string[]): Promise<void> {
  const client = new Client({ connectionString: url.href });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

export const starts: Starts = {
  variables: ({ hostname, port, username, password, pathname }) => ({
    PGHOST: hostname,
    PGPORT: port,
    PGUSER: username,
    PGPASSWORD: password,
    PGDATABASE: pathname.slice(1),
    SESSION_TABLE: `t_${process.pid}`,
  }),
  async withoutRights(url, user, password) {
    await run(url, `CREATE ROLE ${user} LOGIN PASSWORD '${password}'`, "REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    return () => run(url, `DROP ROLE ${user}`);
  },
  wrong: [
    {
      what: "password",
      variables: ({ password }) => ({ PGPASSWORD: password }),
      line: /authentication failed.*; check PGUSER and PGPASSWORD\.$/,
    },
    {
      what: "database",
      variables: () => ({ PGDATABASE: "missing" }),
      line: /"missing" does not exist; check PGDATABASE\.$/,
    },
    {
      what: "rights",
      variables: ({ user, password }) => ({ PGUSER: user, PGPASSWORD: password }),
      line: /permission denied.*check PGUSER and SESSION_TABLE\.$/,
    },
    {
      what: "port",
      variables: ({ freePort }) => ({ PGPORT: String(freePort) }),
      line: /ECONNREFUSED.*; check PGHOST and PGPORT\.$/,
    },
    { what: "TLS", variables: () => ({ PGSSLMODE: "verify-full" }), line: /SSL.*; check PGSSLMODE/ },
  ],
};
