// The thread that checkpoints.ts starts: makes a checkpoint for each message.
// Change it to make another kind of checkpoint.

import { parentPort, workerData } from "node:worker_threads";
import Database from "better-sqlite3";

const database = new Database(workerData as string, { fileMustExist: true });

parentPort?.on("message", () => {
  // PASSIVE waits for nobody and keeps nobody waiting.
  database.pragma("wal_checkpoint(PASSIVE)");
  parentPort?.postMessage("made");
});
