/// A word of a POSIX shell that means the text: in single quotes, within which nothing else is special.
export function shellWord(text) {
  return `'${String(text).replaceAll("'", "'\\''")}'`;
}
