// A real MySQL, from Debian unstable, run with the C library that it came with.
// Change it to start it with other settings.

import { join } from "node:path";
import { freePorts, randomPassword, run } from "./machine.ts";
import { address, layOut, settings } from "./mariadb.ts";
import type { Recipe } from "./recipe.ts";
import { unstable } from "./unstable.ts";

export const mysql: Recipe = {
  async plan(folder, { durable }) {
    const root = await unstable("mysql", ["mysql-server-core"], "set TEST_MYSQL_URL");
    const password = randomPassword();
    const home = await layOut(folder, "mysql", password);
    const command = [
      join(root, "usr/lib64/ld-linux-x86-64.so.2"),
      ...["--library-path", join(root, "usr/lib/x86_64-linux-gnu"), join(root, "usr/sbin/mysqld"), "--no-defaults"],
      `--basedir=${join(root, "usr")}`,
      `--lc-messages-dir=${join(root, "usr/share/mysql")}`,
      `--character-sets-dir=${join(root, "usr/share/mysql/charsets")}`,
      `--plugin-dir=${join(root, "usr/lib/mysql/plugin")}`,
      "--innodb-redo-log-capacity=16M",
    ];
    const places = [`--datadir=${join(home, "data")}`, `--tmpdir=${join(home, "tmp")}`];
    await run([...command, "--initialize-insecure", ...places, "--innodb-flush-log-at-trx-commit=0"], {
      unprivileged: true,
    });
    const [port = 0] = await freePorts(1);
    const spare = ["--secure-file-priv=NULL", "--mysqlx=OFF", "--performance-schema=OFF"];
    return {
      url: address(password, port),
      keepsData: true,
      units: [
        {
          command: [...command, ...settings(home, port, durable), ...spare],
          unprivileged: true,
          ready: (output) => new RegExp(`ready for connections.*port: ${port}\\b`).test(output),
          stopSignal: "SIGTERM",
        },
      ],
    };
  },
};
