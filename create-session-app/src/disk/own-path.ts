// Which paths may be written or moved when a file that anybody may have edited names them: the journal of a run, the record of a project.
// Change it when some system reads another kind of name as a way out of the target.

/**
 * Whether this is a relative path, with forward slashes, that leads nowhere but below the folder it starts from. It has no name that some
 * system reads as another one or as a way out: no "..", no ".git" in any disguise, no invisible characters.
 */
export function isOwnPath(path: string): boolean {
  return path
    .split("/")
    .every((part) => /^[^\\:\p{C}]*[^\\:\p{C}\s.]$/u.test(part) && !/^(\.git|git~\d+)$/i.test(part));
}
