// The stand-in itself: express-pouchdb over PouchDB in memory, behind the users and permissions of access.cjs.
// Change it when a test needs more of CouchDB than it does. Its modules are installed in the folder MODULES.

const { createRequire } = require("node:module");
const { writeFileSync } = require("node:fs");
const { join } = require("node:path");

const { PORT, ADMIN, PASSWORD, FOLDER, MODULES } = process.env;
const load = createRequire(join(MODULES, "package.json"));
// PouchDB writes its log and settings into the current directory.
process.chdir(FOLDER);

const config = join(FOLDER, "config.json");
writeFileSync(config, JSON.stringify({ admins: { [ADMIN]: PASSWORD } }));

const plugins = ["adapter-memory", "adapter-http", "mapreduce", "replication", "find"];
const PouchDB = load("pouchdb-core");
for (const name of plugins) PouchDB.plugin(load(`pouchdb-${name}`));
const InMemory = PouchDB.defaults({ adapter: "memory", prefix: "" });

const app = load("express")();
app.disable("x-powered-by");
app.use(require("./access.cjs")({ admin: ADMIN, password: PASSWORD }));
app.use(
  load("express-pouchdb")(InMemory, {
    configPath: config,
    logPath: join(FOLDER, "log.txt"),
    mode: "fullCouchDB",
    overrideMode: { exclude: ["routes/fauxton", "disk-size"] },
  }),
);
app.listen(Number(PORT), "127.0.0.1", () => console.log("listening"));
process.on("SIGTERM", () => process.exit(0));
