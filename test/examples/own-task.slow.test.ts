import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { asUser, curl } from "../harness/as-a-user.ts";
import {
  inProject,
  installExample,
  post,
  startExample,
  startExampleLambda,
  startExampleWorker,
  type Example,
  type Target,
} from "./example.ts";

let example: Example;
beforeAll(async () => {
  example = await installExample("own-task");
});
afterAll(() => example.remove());

const command = (part: string) =>
  example.commands.find((one) => one.includes(part)) ?? `no ${part}`;

test("its types are right", async () => {
  await inProject(example.folder, "typescript/bin/tsc", ["-p", "."]);
});

test("the README's commands start it, and ask it", async () => {
  const port = await startExample(example);
  expect(await curl(command("curl"), port)).toMatchObject({
    outputs: { price: 16.2, currency: "EUR", kilometres: 1621 },
  });
});

test("verify proves its examples, and eval has its metrics", async () => {
  const { folder } = example;
  const verified = await asUser(command("nearcast verify"), folder);
  expect(verified).toContain("delivery@1 is good to publish.");
  expect(verified).toContain("native and WASM: largest difference 0");
  const evaluated = await asUser(command("nearcast eval"), folder);
  expect(evaluated).toMatch(/delivery@1 on native, 4 rows\n +mean_error +0\.\d+\n +largest_error/);
});

test("add makes a version of the task with its options, and its examples are tried", async () => {
  const { folder } = example;
  expect(await asUser(command("nearcast add"), folder)).toContain("a delivery-price model");
  const manifest: unknown = JSON.parse(
    await readFile(join(folder, "models/express/1/model.json"), "utf8"),
  );
  expect(manifest).toMatchObject({
    task: "delivery-price",
    delivery: { output: "price", currency: "EUR", roundTo: 0.5 },
    examples: [{ input: { from: "Lyon" } }, { input: { from: "Lisbon" } }],
  });
  await expect(
    asUser(command("nearcast add").replace("roundTo", "roundToo"), folder),
  ).rejects.toThrow(/roundToo/);
});

test("it answers in workerd", async () => {
  await check(await startExampleWorker(example.folder));
});

test("it answers on Lambda, and its code is compiled", async () => {
  const lambda = await startExampleLambda(example.folder);
  expect(lambda.printed).not.toContain("without compiled code");
  await check(lambda);
});

async function check({ fetch, stop }: Target): Promise<void> {
  try {
    const path = "/v1/models/delivery/predict";
    const inputs = [
      { from: "Lyon", to: "Oslo", kilograms: 2.5 },
      { from: "lisbon", to: "WARSAW", kilograms: 30 },
    ];
    const answer = await fetch(path, post({ inputs }));
    expect(await answer.json()).toMatchObject({
      outputs: [
        { price: 16.2, currency: "EUR" },
        { price: 44.95, currency: "EUR" },
      ],
    });

    const wrong = [
      { from: "Lyon", to: "Atlantis", kilograms: 1 },
      { to: "Oslo", kilograms: 31 },
    ];
    const refused = await fetch(path, post({ inputs: wrong }));
    expect(refused.status).toBe(422);
    const { errors } = (await refused.json()) as { errors: { path: string; message: string }[] };
    expect(errors.map((error) => error.path).toSorted()).toEqual([
      "inputs[0].to",
      "inputs[1].from",
      "inputs[1].kilograms",
    ]);

    const parameters = await fetch(path, post({ inputs, parameters: { detail: true } }));
    expect(parameters.status).toBe(422);

    const description = JSON.stringify(await (await fetch("/openapi.json")).json());
    expect(description).toContain("The town that gets it.");
    expect(description).toContain("Answer the distance as well.");
    expect(description).toContain('"kilometres"');
  } finally {
    await stop();
  }
}
