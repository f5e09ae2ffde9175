// Nothing: how long Node itself takes to start and end.
// Change nothing here; run.ts measures against it.
