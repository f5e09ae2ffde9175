// MariaDB from Debian's mariadb-server.
// Change it to start it with other settings.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { folderOfNobody, freePorts, giveToNobody, program, randomPassword, run } from "./machine.ts";
import type { Recipe } from "./recipe.ts";

const REMEDY = "apt-get install mariadb-server, or set TEST_MARIADB_URL";
const USER = "tester";
const DATABASE = "app";

/** SQL that the server runs at each start: it creates the database and its user. */
function accounts(password: string): string {
  return [
    `CREATE DATABASE IF NOT EXISTS \`${DATABASE}\` CHARACTER SET utf8mb4;`,
    `CREATE USER IF NOT EXISTS '${USER}'@'127.0.0.1' IDENTIFIED BY '${password}';`,
    `GRANT ALL ON *.* TO '${USER}'@'127.0.0.1' WITH GRANT OPTION;`,
    `ALTER USER 'root'@'localhost' IDENTIFIED BY '${password}';`,
    "",
  ].join("\n");
}

export function address(password: string, port: number): string {
  return `mysql://${USER}:${password}@127.0.0.1:${port}/${DATABASE}`;
}

/** Arguments with which both MariaDB and MySQL are started. */
export function settings(home: string, port: number, durable: boolean): string[] {
  return [
    `--datadir=${join(home, "data")}`,
    `--tmpdir=${join(home, "tmp")}`,
    "--bind-address=127.0.0.1",
    `--port=${port}`,
    `--socket=${join(home, "socket")}`,
    `--pid-file=${join(home, "pid")}`,
    `--init-file=${join(home, "init.sql")}`,
    `--ssl-cert=${join(home, "certificate.pem")}`,
    `--ssl-key=${join(home, "key.pem")}`,
    "--skip-name-resolve",
    "--skip-log-bin",
    "--innodb-buffer-pool-size=64M",
    `--innodb-flush-log-at-trx-commit=${durable ? 1 : 0}`,
    `--innodb-doublewrite=${durable ? "ON" : "OFF"}`,
  ];
}

/** Makes the server's folder, with the SQL that it runs at each start and a self-signed certificate for "localhost". */
export async function layOut(folder: string, name: string, password: string): Promise<string> {
  const home = await folderOfNobody(folder, name);
  await folderOfNobody(home, "tmp");
  const init = join(home, "init.sql");
  await writeFile(init, accounts(password), { mode: 0o600 });
  await giveToNobody(init);
  const keys = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", join(home, "key.pem")];
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const openssl = program("openssl", "apt-get install openssl");
  await run([openssl, "req", "-x509", "-days", "2", ...keys, ...names, "-out", join(home, "certificate.pem")], {
    unprivileged: true,
  });
  return home;
}

export const mariadb: Recipe = {
  async plan(folder, { durable }) {
    const server = program("mariadbd", REMEDY);
    const install = program("mariadb-install-db", REMEDY);
    const password = randomPassword();
    const home = await layOut(folder, "mariadb", password);
    const root = ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"];
    const places = [`--datadir=${join(home, "data")}`, `--tmpdir=${join(home, "tmp")}`];
    await run([install, "--no-defaults", ...places, ...root, "--innodb-flush-log-at-trx-commit=0"], {
      unprivileged: true,
    });
    const [port = 0] = await freePorts(1);
    return {
      url: address(password, port),
      keepsData: true,
      units: [
        {
          command: [server, "--no-defaults", ...settings(home, port, durable), "--character-set-server=utf8mb4"],
          unprivileged: true,
          ready: (output) => new RegExp(`ready for connections[^]*port: ${port}\\b`).test(output),
          stopSignal: "SIGTERM",
        },
      ],
    };
  },
};
