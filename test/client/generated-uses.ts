// This is compiled and not run: uses of the types that `nearcast types` makes, and mistakes that must not compile.
// generated-types.slow.test.ts compiles it once more against the packed tarball.
import { createClient } from "../../client/src/index.ts";
import type { Models } from "./generated-models.ts";

const client = createClient<Models>("https://models.test");
const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const patient = {
  age: 50,
  sex: 1,
  bmi: 25,
  bp: 90,
  s1: 180,
  s2: 100,
  s3: 50,
  s4: 4,
  s5: 5,
  s6: 90,
};
const odd = { 'say "length"': 1, class: "`a`", ["__proto__"]: true } as const;
const tensors = {
  a: [[1, 2]],
  b: [[1, "NaN"]],
  ids: [1, 2n, "3"],
  text: ["a"],
  flags: [[true]],
} as const;

export async function rightUses(file: File) {
  const iris = await client.predict("iris", flower, { parameters: { top_k: 1 } });
  const species: "setosa" | "versicolor" | "virginica" = iris.outputs.label;
  const score: number | undefined = iris.outputs.scores.setosa;
  const diabetes: number = (await client.predict("diabetes", patient)).outputs.value;
  const digit: string = (await client.predict("digits", file)).outputs.label;
  await client.predict("digits", [file, new Uint8Array(), "iVBO"]);
  const feelings: ("negative" | "positive")[] = (
    await client.predict("sentiment", ["good", "bad"])
  ).outputs.map(({ label }) => label);
  const basket: readonly string[] = ["a", "b"];
  const item: string | undefined = (await client.predict("retail", basket)).outputs[0]?.name;
  const vector: number[] = (await client.embed("search", "a", { dimensions: 64 })).outputs;
  const tokens: number[][] = (await client.embed("tokens", "a")).outputs;
  const sparse: { index: number; value: number }[] = (await client.embed("splade-bert", "a"))
    .outputs;
  const [best] = (await client.rerank("rank-bert", "a", ["b"], { topN: 1 })).outputs;
  const entity: "O" | "PER" | "LOC" | undefined = (
    await client.predict("ner-bert", "Ada", { parameters: { aggregation_strategy: "first" } })
  ).outputs[0]?.entity_group;
  const question = { question: "Who?", context: "Ada." };
  const answer = (await client.predict("qa-bert", question, { parameters: { top_k: 2 } })).outputs;
  const own = { text: "a", candidate_labels: ["b"] };
  const zero = (await client.predict("nli-bert", own)).outputs[0]?.score;
  await client.predict("nli-bert", "a", { parameters: { candidate_labels: ["b"] } });
  const filled = (await client.predict("mask-bert", "a [MASK]")).outputs[0];
  const sentences = { source_sentence: "a", sentences: ["b"] };
  const similar: number[] = (await client.predict("similar-bert", sentences)).outputs;
  const value: number = (await client.predict("regression-one", "a")).outputs.value;
  const { cohesion }: { cohesion: number } = (await client.predict("regression-two", "a")).outputs
    .values;
  const sum: (number | string)[][] = (await client.predict("tensors", tensors)).outputs.sum;
  const isOdd: boolean = (await client.predict("odd", odd)).outputs.label === '"; evil';
  await client.predict("odd", { ...odd, "größe im bild": null });
  const job = await client.jobs.submit("iris", [flower, flower]);
  const later: ("setosa" | "versicolor" | "virginica")[] = (
    await client.jobs.wait(job)
  ).outputs.map(({ label }) => label);
  const texts = { item, best, entity, answer, zero, filled, species, digit, feelings, later };
  return { texts, score, diabetes, vector, tokens, sparse, similar, value, cohesion, sum, isOdd };
}

export async function wrongUses() {
  const { sepal_width: _, ...narrow } = flower;
  // @ts-expect-error: a misspelt feature
  await client.predict("iris", { ...narrow, sepal_widht: 3.5 });
  // @ts-expect-error: a missing feature
  await client.predict("iris", narrow);
  // @ts-expect-error: a feature of the wrong type
  await client.predict("iris", { ...flower, sepal_width: "3.5" });
  // @ts-expect-error: a missing feature in one of several
  await client.predict("iris", [flower, narrow]);
  // @ts-expect-error: a missing feature of a job
  await client.jobs.submit("iris", narrow);
  // @ts-expect-error: a model that there is not
  await client.predict("irises", flower);
  // @ts-expect-error: a misspelt parameter
  await client.predict("iris", flower, { parameters: { topk: 1 } });
  // @ts-expect-error: a parameter of the wrong type
  await client.predict("iris", flower, { parameters: { top_k: "1" } });
  // @ts-expect-error: a model without parameters
  await client.predict("diabetes", patient, { parameters: { top_k: 1 } });
  // @ts-expect-error: a strategy that there is not
  await client.predict("ner-bert", "a", { parameters: { aggregation_strategy: "last" } });
  // @ts-expect-error: no image
  await client.predict("digits", 5);
  // @ts-expect-error: a category that there is not
  await client.predict("odd", { ...odd, class: "e" });
  // @ts-expect-error: a feature that may not be missing
  await client.predict("odd", { ...odd, class: null });
  // @ts-expect-error: a tensor of too few dimensions
  await client.predict("tensors", { ...tensors, a: [1, 2] });
  // @ts-expect-error: a missing tensor
  await client.predict("tensors", { a: [[1, 2]] });
  // @ts-expect-error: a question without its text
  await client.predict("qa-bert", { question: "Who?" });
  // @ts-expect-error: a model without vectors
  await client.embed("sentiment", "a");
  // @ts-expect-error: a model that does not rank
  await client.rerank("iris", "a", ["b"]);
  const { outputs } = await client.predict("iris", flower);
  // @ts-expect-error: a label that there is not
  const isRose = outputs.label === "rose";
  const entities = (await client.predict("ner-bert", "a")).outputs;
  // @ts-expect-error: a label of entities that there is not
  const isPlace = entities[0]?.entity_group === "PLACE";
  return { isRose, isPlace };
}
