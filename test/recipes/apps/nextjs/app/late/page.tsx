import { setTimeout } from "node:timers/promises";
import { Suspense } from "react";
import { getSession } from "../../session.ts";

/** The headers are sent before the session is read. */
export default function Page() {
  return (
    <Suspense fallback={<p>Wait</p>}>
      <User />
    </Suspense>
  );
}

async function User() {
  await setTimeout(50);
  const { userid } = await getSession();
  return <h1>Late: {userid}</h1>;
}
