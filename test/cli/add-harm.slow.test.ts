import { afterAll, expect, test } from "vitest";
import { fixture, nearcast, removeLines, snapshot, temporaryFolder } from "./nearcast.ts";

afterAll(removeLines);

const ENDED = "a run with made-up inputs ended ONNX Runtime's process";
const GREEDY = "a run with made-up inputs took all memory";
const ENDLESS = "a run with made-up inputs did not end within 30 s";

test.for([
  ["divides.onnx", [], ENDED],
  ["divides.onnx", ["--features", "a,b"], ENDED],
  ["endless.onnx", [], ENDLESS],
  ["greedy.onnx", [], GREEDY],
  ["greedy.onnx", ["--features", "a,b"], GREEDY],
] as const)(
  "%s %j is refused: its run would harm a server, and does not harm the command",
  { timeout: 120_000 },
  async ([file, flags, reason]) => {
    const models = await temporaryFolder();
    const command = ["add", fixture(file), "--name", "it", "--models", models];
    const outcome = await nearcast([...command, ...flags]);
    expect(outcome).toMatchObject({ code: 1, stdout: "" });
    expect(outcome.stderr).toContain(reason);
    expect(await snapshot(models)).toEqual({});
  },
);
