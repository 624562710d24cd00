import { expect, test } from "vitest";
import { fixture, nearcast, succeed, temporaryFolder } from "./nearcast.ts";

test("verify says with which operator native and WASM begin to differ, and which form agrees", async () => {
  const models = await temporaryFolder();
  await succeed(["add", fixture("eight-bits.onnx"), "--name", "eight", "--models", models]);
  const verify = (...args: string[]) =>
    nearcast(["verify", "eight", "--record", "--models", models, ...args]);
  const begins =
    /It begins at the operator MatMulNBits: it takes the same on both, and its result y differs by 0\.\d+ % of the largest number\. .*quantize --int8 --form weights/;
  const refused = await verify();
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(begins);
  const taken = await verify("--tolerance", "0.2");
  expect(taken.code).toBe(0);
  expect(taken.stdout).toMatch(begins);
});

test("verify names no operator where the runtimes agree", async () => {
  const models = await temporaryFolder();
  const file = fixture("convolution.onnx");
  await succeed(["add", file, "--name", "agreeing", "--models", models]);
  expect(await succeed(["verify", "agreeing", "--record", "--models", models])).not.toContain(
    "It begins",
  );
});
