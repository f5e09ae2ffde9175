// How a user has indented lines anew, worked out from examples, so that new lines can be indented the same way.
// Change it when another style of indentation should be followed.

type Reindent = (line: string) => string;

/** `examples` are lines before and after; the first that shows an indentation decides. Without one, lines stay as they are. */
export function indentationChange(examples: readonly (readonly [before: string, after: string])[]): Reindent {
  const known = examples.filter(([before, after]) => before.trim() !== "" && before.trim() === after.trim());
  const example = known.find(([before]) => indentation(before) !== "") ?? known[0];
  if (example === undefined) return (line) => line;
  const [from, to] = example.map(indentation) as [string, string];
  if (from === to) return (line) => line;

  const spacesPerTab = /^\t+$/.test(to) && /^ +$/.test(from) ? from.length / to.length : 0;
  return (line) => {
    const own = indentation(line);
    if (line === own) return line;
    const rest = line.slice(own.length);
    if (Number.isInteger(spacesPerTab) && spacesPerTab > 0) {
      return "\t".repeat(own.length / spacesPerTab) + " ".repeat(own.length % spacesPerTab) + rest;
    }
    if (own.startsWith(from)) return to + own.slice(from.length) + rest;
    return to.slice(0, Math.max(0, to.length - (from.length - own.length))) + rest;
  };
}

function indentation(line: string): string {
  return line.slice(0, line.length - line.trimStart().length);
}
