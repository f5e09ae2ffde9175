// Creates the database and its design document, and checks them.
// Change it to create the database with other options, such as more shards.

import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import type { CouchdbClient } from "./client.ts";
import { absentIfMissing, DatabaseMissing, isConflict, statusOf } from "./errors.ts";
import { describeStore, type StoreSettings } from "./settings.ts";

export const DESIGN_PATH = "_design/sessions";

/** In a cluster, every document then has one node that decides about it (README, "More than one machine"). */
const REPLICAS = 1;
/** How many revisions CouchDB remembers of a document. Its default of 1000 would outweigh the data of a busy session. */
const REVISIONS = 50;

interface DesignDocument {
  _id: string;
  _rev?: string;
  language: string;
  views: Record<string, { map: string; reduce?: string }>;
}

interface DatabaseInfo {
  /** `n` is the number of copies of every document. */
  cluster?: { n?: number };
}

/** Writes the design document only if it differs, since CouchDB would build its indexes again. */
export async function setUpDatabase(client: CouchdbClient): Promise<void> {
  const wanted = readDesign();
  try {
    await client.request({ field: "db_name" });
  } catch (error) {
    if (!(error instanceof DatabaseMissing)) throw error;
    await createDatabase(client);
  }
  for (let found = await loadDesign(client); !matches(found, wanted); found = await loadDesign(client)) {
    const body = { ...wanted, ...(found?._rev !== undefined && { _rev: found._rev }) };
    try {
      await client.request({ method: "PUT", path: DESIGN_PATH, body, field: "rev" });
    } catch (error) {
      // Another process has just written it.
      if (!isConflict(error)) throw error;
    }
  }
}

/** Warns of a database in which a cluster can lose writes. */
export async function checkDatabase(client: CouchdbClient, settings: StoreSettings): Promise<void> {
  const { cluster } = await client.request<DatabaseInfo>({ field: "db_name" });
  if (!matches(await loadDesign(client), readDesign())) {
    throw new Error(`The database's ${DESIGN_PATH} is not as in schema.json: run "npm run sessions -- setup"`);
  }
  if ((cluster?.n ?? REPLICAS) <= REPLICAS) return;
  process.emitWarning(
    `${describeStore(settings)} keeps ${cluster?.n} copies of every document (n=${cluster?.n}). Nodes can then confirm` +
      ` changes that contradict each other, and ended sessions can come back. A database that this app creates has one copy (n=1).`,
  );
}

async function createDatabase(client: CouchdbClient): Promise<void> {
  // 412 means that another process came first.
  await allowing([412], client.request({ method: "PUT", query: { n: REPLICAS }, field: "ok" }));
  // Servers that only resemble CouchDB do without.
  const limit = { method: "PUT", path: "_revs_limit", body: REVISIONS, field: "ok" } as const;
  await allowing([400, 404, 405, 501], client.request(limit));
}

async function loadDesign(client: CouchdbClient): Promise<DesignDocument | undefined> {
  return await absentIfMissing(client.request<DesignDocument>({ path: DESIGN_PATH, field: "_id" }));
}

function readDesign(): DesignDocument {
  return JSON.parse(readFileSync(new URL("../../schema.json", import.meta.url), "utf8")) as DesignDocument;
}

function matches(found: DesignDocument | undefined, wanted: DesignDocument): boolean {
  return found !== undefined && found.language === wanted.language && isDeepStrictEqual(found.views, wanted.views);
}

async function allowing(statuses: number[], request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (error) {
    if (!statuses.includes(statusOf(error) ?? 0)) throw error;
  }
}
