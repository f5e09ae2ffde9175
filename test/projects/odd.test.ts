// Every second pair as a whole project, from the second on; the others are in even.test.ts.
// Change matrix.ts, where both files' pairs come from.

import { share } from "./matrix.ts";

await share(1, 2);
