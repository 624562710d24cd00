/**
 * Makes a command that can write files of some hundred bytes at most. Larger writes fail in the middle of a file, as on
 * a full disk.
 */
export function withFullDisk(command: string, args: readonly string[]): [string, string[]] {
  return ["sh", ["-c", 'ulimit -f 1 && exec "$0" "$@"', command, ...args]];
}
