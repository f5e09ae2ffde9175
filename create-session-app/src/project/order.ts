// Where names that only this version has go among the user's.

/** The user's order. A new name follows the one that it follows in ours; the first of ours goes before its successor there. */
export function withAdded(yours: readonly string[], ours: readonly string[]): string[] {
  const names = [...yours];
  for (const [index, name] of ours.entries()) {
    if (names.includes(name)) continue;
    const previous = ours[index - 1];
    const successor = ours.slice(index + 1).find((other) => names.includes(other));
    const position = previous !== undefined ? names.indexOf(previous) + 1 : successor ? names.indexOf(successor) : 0;
    names.splice(position, 0, name);
  }
  return names;
}
