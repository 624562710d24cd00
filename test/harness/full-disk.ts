/**
 * A command whose process can write no file of more than some hundred bytes: its writes end as on a disk that is
 * full in the middle of a file.
 */
export function withFullDisk(command: string, args: readonly string[]): [string, string[]] {
  return ["sh", ["-c", 'ulimit -f 1 && exec "$0" "$@"', command, ...args]];
}
