/** Rendered by the build: it is the same for everybody. */
export default function Page() {
  return <h1>Start</h1>;
}
