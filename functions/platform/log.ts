/** One JSON line on standard error, where Lambda and container platforms collect logs. */
export function logLine(entry: Record<string, unknown>): void {
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`);
}
