// What may be wrong when a project with MySQL starts.
// Add what people get wrong, with the line that must name it.

import { createConnection } from "mysql2/promise";
import type { Starts } from "../../../test/drivers/fixture.ts";

async function run(url: URL, ...statements: string[]): Promise<void> {
  const connection = await createConnection({ uri: url.href });
  for (const statement of statements) await connection.query(statement);
  await connection.end();
}

export const starts: Starts = {
  variables: ({ port, username, password, pathname }) => ({
    MYSQL_HOST: "localhost",
    MYSQL_PORT: port,
    MYSQL_USER: username,
    MYSQL_PASSWORD: password,
    MYSQL_DATABASE: pathname.slice(1),
    SESSION_TABLE: `t_${process.pid}`,
  }),
  async withoutRights(url, user, password) {
    const account = `${user}@'127.0.0.1'`;
    await run(url, `CREATE USER ${account} IDENTIFIED BY '${password}'`, `GRANT SELECT ON app.* TO ${account}`);
    return () => run(url, `DROP USER ${account}`);
  },
  wrong: [
    {
      what: "password",
      variables: ({ password }) => ({ MYSQL_PASSWORD: password }),
      line: /^MYSQL_USER or MYSQL_PASSWORD: .*refuses user/,
    },
    { what: "database", variables: () => ({ MYSQL_DATABASE: "missing" }), line: /^MYSQL_DATABASE: .*"missing"/ },
    {
      what: "rights",
      variables: ({ user, password }) => ({ MYSQL_USER: user, MYSQL_PASSWORD: password }),
      line: /^MYSQL_USER: .*lacks a permission/,
    },
    {
      what: "port",
      variables: ({ freePort }) => ({ MYSQL_PORT: String(freePort) }),
      line: /^MYSQL_HOST and MYSQL_PORT: nothing listens/,
    },
    { what: "TLS", variables: () => ({ MYSQL_TLS: "on" }), line: /^MYSQL_TLS: / },
  ],
};
