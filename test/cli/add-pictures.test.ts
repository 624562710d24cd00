import { readFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { openPackage } from "../../cli/package-folder.ts";
import { openPredictor } from "../../cli/predictor.ts";
import { expectRefused } from "./expect-refused.ts";
import { fixture, nearcast, removeLines, temporaryFolder } from "./nearcast.ts";

// What Pillow and NumPy make of a picture and the graph's weights.
const { picture, cases } = JSON.parse(readFileSync(fixture("pictures.json"), "utf8")) as {
  picture: string;
  cases: { file: string; flags: string[]; scores: [number, number, number] }[];
};
const LABELS = ["--labels", "a,b,c", "--scores", "softmax"];

afterAll(removeLines);

test.for(cases)("$file with $flags sees a picture as its trainer did", async (one) => {
  const models = await temporaryFolder();
  const command = ["add", fixture(one.file), "--name", "it", "--models", models];
  const outcome = await nearcast([...command, ...LABELS, ...one.flags]);
  expect(outcome).toMatchObject({ code: 0, stderr: "" });
  const predictor = await openPredictor(
    await openPackage(models, { name: "it", version: "1" }),
    "native",
  );
  const answer = (await predictor.predict(picture)) as { scores: Record<string, number> };
  const [a, b, c] = one.scores;
  expect(answer.scores["a"]).toBeCloseTo(a, 5);
  expect(answer.scores["b"]).toBeCloseTo(b, 5);
  expect(answer.scores["c"]).toBeCloseTo(c, 5);
});

test.for([
  [["--image", "8x9"], "which holds no pictures of 8 × 9"],
  [["--image", "8x8", "--mean", "1,2"], "--mean has 2 numbers, and the graph has 3 channels"],
  [["--image", "8x8", "--pad", "7", "--resize", "9"], "use one of them"],
  [["--image", "8x8", "--resize", "7"], "image.resize must not be smaller"],
  [["--bgr"], "--bgr needs --image"],
  [["--image", "8x8", "--features", "a,b"], "goes without --features"],
] as const)("%j is refused", async ([flags, reason]) => {
  await expectRefused(fixture("pictures-2.onnx"), reason, [...LABELS, ...flags]);
});

test("flags that cannot be read are named", async () => {
  const wrong = [
    [["--image", "8"], "It is no width × height, such as 224x224"],
    [["--image", "8x8", "--scale", "1/0"], "It is not a number"],
  ] as const;
  for (const [flags, reason] of wrong) {
    const outcome = await nearcast(["add", "it.onnx", "--name", "it", ...flags]);
    expect(outcome).toMatchObject({ code: 2, stdout: "" });
    expect(outcome.stderr).toContain(reason);
  }
});
