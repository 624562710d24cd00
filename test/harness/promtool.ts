import { spawnSync } from "node:child_process";

/** Whether this machine has Prometheus (Debian: `prometheus`, which has promtool too). */
export const hasPrometheus = spawnSync("promtool", ["--version"]).status === 0;

if (!hasPrometheus) console.log("No Prometheus is installed: its tests are skipped.");

/** What promtool says about a text, and its exit code: 0 where it has nothing to say. */
export function promtool(args: readonly string[], input = ""): { status: number; said: string } {
  const { status, stdout, stderr } = spawnSync("promtool", args, { input, encoding: "utf8" });
  return { status: status ?? -1, said: stdout + stderr };
}

/** What `promtool check metrics` finds wrong. Triton's names have microseconds, which Prometheus advises against. */
export function complaints(text: string): string[] {
  const ofTriton = /^nv_inference_\w+_us metric names should not contain abbreviated units$/;
  const { said } = promtool(["check", "metrics"], text);
  return said.split("\n").filter((line) => line && !ofTriton.test(line));
}
