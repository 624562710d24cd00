import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startNodeServer } from "./harness/node-server.ts";

/** A Node 20 on the PATH. Tests themselves run with a newer Node, which comes first. */
const node20 = (process.env["PATH"] ?? "")
  .split(delimiter)
  .map((folder) => join(folder, "node"))
  .find((file) => existsSync(file) && versionOf(file).startsWith("v20."));

function versionOf(file: string): string {
  return execFileSync(file, ["--version"], { encoding: "utf8" });
}

const CASES: [datatype: string, element: string, answer: string][] = [
  ["INT64", "-42", "-42"],
  ["INT64", '"9223372036854775807"', "9223372036854775807"],
  ["FP32", "-0.0", "-0.0"],
  ["FP16", "0.5", "0.5"],
];

test.skipIf(!node20)(
  "the server answers long integers, negative zero and float16 on Node 20",
  async () => {
    const server = await startNodeServer({
      node: node20,
      env: { STORE: join(import.meta.dirname, "fixtures/identity"), ACCESS_LOG: "false" },
    });
    onTestFinished(async () => void (await server.stop()));
    for (const [datatype, element, expected] of CASES) {
      const model = datatype.toLowerCase();
      const data = `{"name":"x","datatype":"${datatype}","shape":[1,1,1],"data":[${element}]}`;
      const answer = await server.fetch(`/v2/models/${model}/infer`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: `{"inputs":[${data}]}`,
      });
      expect(await answer.text(), datatype).toContain(`"data":[${expected}]`);
      expect(answer.status).toBe(200);
    }
  },
);
