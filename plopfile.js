// `npx plop backend` and `npx plop framework`: one new folder under templates/, complete but for the code that only its author can write.
// Change it to ask for something else; what a new folder holds is in plop/.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const repository = import.meta.dirname;
const KINDS = ["backends", "frameworks"];

/** @typedef {{ id: string, label: string, hint: string, packages: string, url?: string, image?: string }} Answers */

/** @param {import("plop").NodePlopAPI} plop */
export default function scaffolds(plop) {
  plop.setGenerator("backend", {
    description: "a store for sessions: templates/backends/<id>",
    prompts: [...questions("backend"), ...serverQuestions],
    actions: (answers) => {
      const given = /** @type {Answers} */ (answers);
      const sources = given.image ? ["plop/backend", "plop/server"] : ["plop/backend"];
      return actions("backends", sources, given);
    },
  });
  plop.setGenerator("framework", {
    description: "a web framework: templates/frameworks/<id>",
    prompts: questions("framework"),
    actions: (answers) => actions("frameworks", ["plop/framework"], /** @type {Answers} */ (answers)),
  });
}

/**
 * What is typed ends up in code, JSON and Markdown, so that only what is harmless in all of them is let in.
 * @param {string} kind
 */
function questions(kind) {
  return [
    {
      type: "input",
      name: "id",
      message: `Id of the ${kind}, as in --${kind} ID (lower-case letters, digits, -):`,
      validate: checkId,
    },
    {
      type: "input",
      name: "label",
      message: "Its name, as in lists:",
      validate: says(
        /^[\p{L}\p{N}][\p{L}\p{N} .,:+&()-]{0,39}$/u,
        "A name is letters, digits, spaces and .,:+&()-, 40 at most.",
      ),
    },
    {
      type: "input",
      name: "hint",
      message: "A hint for who has to choose (half a line):",
      validate: says(/^[^\p{C}]{1,80}$/u, "A hint is 1 to 80 characters on one line."),
    },
    {
      type: "input",
      name: "packages",
      message:
        "npm packages that its code imports, each with its range, as in redis@^6.3.1 (comma-separated; empty: none):",
      validate: says(
        /^(?:(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*@[\^~]?\d[\w.+-]*(?:, *|$))*$/,
        "Packages are written name@range, as in redis@^6.3.1, with commas between them.",
      ),
    },
  ];
}

const serverQuestions = [
  {
    type: "input",
    name: "url",
    message: "URL of its server on a developer's machine, as in nats://localhost:4222 (empty: it has none):",
    validate: says(/^(?:[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]+:\d{1,5})?$/, "A URL here is scheme://host:port."),
  },
  {
    type: "input",
    name: "image",
    message: "Docker image of that server, as in nats:2-alpine (empty: none):",
    /** @param {string} image @param {Partial<Answers>} [answers] */
    validate: (image, answers) => {
      if (image && !answers?.url) return "An image goes with the URL of its server.";
      return says(/^(?:[a-z0-9][\w./:-]*)?$/, "An image is written name:tag, as in nats:2-alpine.")(image);
    },
  },
];

/** @param {RegExp} pattern @param {string} otherwise */
function says(pattern, otherwise) {
  return (/** @type {string} */ text) => pattern.test(text) || otherwise;
}

/** @param {string} id */
function checkId(id) {
  if (!/^[a-z][a-z0-9-]{0,39}$/.test(id)) return "An id is lower-case letters, digits and -, and begins with a letter.";
  const taken = KINDS.find((kind) => existsSync(join(repository, "templates", kind, id)));
  if (taken) return `There is templates/${taken}/${id} already.`;
  // Every pack is an npm workspace: @session-app/<id>.
  return id === "base" || id === "runtime" ? `"${id}" is the name of a part that every project has.` : true;
}

/** @param {string} kind @param {string[]} sources @param {Answers} answers */
function actions(kind, sources, answers) {
  const folder = `templates/${kind}/${answers.id}`;
  const variable = answers.id.toUpperCase().replaceAll("-", "_");
  const data = { folder, variable, ...parts(answers), manifest: manifest(answers, kind, variable) };
  const copies = sources.map((source) => ({
    type: "addMany",
    base: source,
    templateFiles: `${source}/**/*.hbs`,
    destination: folder,
    data,
  }));
  return [...copies, () => format(folder), () => whatNext(kind, answers, folder)];
}

/** @param {Answers} answers */
function parts({ id, url }) {
  const type = id.replaceAll(/(?:^|-)([a-z0-9])/g, (_, letter) => letter.toUpperCase());
  if (!url) return { type };
  const { protocol, port } = new URL(url);
  return { type, protocol, port: port || url.split(":").at(-1) };
}

/** @param {Answers} answers @param {string} kind @param {string} variable */
function manifest({ id, label, hint, packages, url, image }, kind, variable) {
  const entries = packages.split(/, */).filter(Boolean);
  const dependencies = Object.fromEntries(
    entries.map((entry) => [entry.slice(0, entry.lastIndexOf("@")), entry.slice(entry.lastIndexOf("@") + 1)]).sort(),
  );
  const ofServer = [
    {
      name: `${variable}_URL`,
      value: url,
      comment: `Where ${label} is, with the user and the password if it has any.`,
    },
    { name: `${variable}_PREFIX`, value: "sessions", comment: "What all names in it begin with.", optional: true },
  ];
  const path = { name: `${variable}_PATH`, value: `./data/${id}`, comment: "Where sessions are kept.", optional: true };
  const environment = url ? ofServer : [path];
  const sessionApp = {
    label,
    hint,
    // After all that are there; the smaller the number, the higher in the list.
    order: 100,
    summary: kind === "backends" ? `Sessions live in ${label}.` : label,
    environment: kind === "backends" ? environment : [],
    ...(kind === "backends" && { server: image ? { name: label, start: "docker compose up -d --wait" } : null }),
  };
  const content = {
    name: `@session-app/${id}`,
    private: true,
    type: "module",
    license: "0BSD",
    ...(entries.length > 0 && { dependencies }),
    sessionApp,
  };
  return JSON.stringify(content, undefined, 2);
}

/** Lines break elsewhere where a name is long. @param {string} folder */
function format(folder) {
  const biome = join(repository, "node_modules", "@biomejs", "biome", "bin", "biome");
  execFileSync(process.execPath, [biome, "format", "--write", folder], { cwd: repository, stdio: "pipe" });
  return `formatted ${folder}`;
}

/** What every framework's project serves: health, the sample, and the example, whose routes test/http/suite asks for. */
const ROUTES = `
  src/http/health.ts        GET /health   GET /health/live
  src/routes.ts             GET /visits
  src/example/handlers.ts   GET /   GET POST DELETE /session   PUT DELETE /session/data/:key
                            POST /login   POST /logout   GET DELETE /sessions   DELETE /sessions/:id   GET POST /cart
                            of the page's forms, which redirect to /:
                            POST /session/start   POST /session/data   POST /session/data/delete
                            POST /sessions/end   POST /sessions/end-others
  test/probe.ts             POST /:action/:value`;

/** @param {string} kind @param {Answers} answers @param {string} folder */
function whatNext(kind, { id, packages }, folder) {
  const [pair, suite, more] =
    kind === "backends"
      ? [
          `express-${id}`,
          `npx vitest run --project drivers -t "driver ${id}"`,
          `Tests about this store alone (settings, faults) go into ${folder}/test/*.test.ts; the same command runs them.`,
        ]
      : [
          `${id}-memory`,
          `npx vitest run --project runtime --project http -t "^${id} "`,
          `Begin with the adapter and conformance.ts, then the routes:${ROUTES}`,
        ];
  return [
    `${folder} is there. What is left to write:  grep -rn "${folder}: write" templates`,
    ...(packages ? ["  npm install"] : []),
    `  node scripts/typecheck.ts ${pair}`,
    `  ${suite}`,
    more,
  ].join("\n");
}
