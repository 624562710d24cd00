// This is compiled and not run: code of a user, and mistakes that must not compile. package.test.ts compiles it once
// more against the packed tarball.
import {
  createClient,
  NearcastClientError,
  type Classification,
  type ImageInput,
  type Prediction,
  type JobStatus,
  type RankedText,
  type RecommendedItem,
  type Vector,
} from "../../client/src/index.ts";

interface Flower {
  length: number;
  width: number;
  colour?: "red" | "blue";
}

interface Models {
  flowers: {
    input: Flower | [number, number];
    output: Classification<"rose" | "tulip">;
    parameters: { top_k?: number };
  };
  digits: { input: ImageInput; output: Classification; parameters: { top_k?: number } };
  retail: { input: string[]; output: RecommendedItem[]; parameters: { top_k?: number } };
  plain: { input: string; output: number; parameters: Record<string, never> };
  search: { input: string; output: Vector; parameters: { dimensions?: number } };
  ranker: { input: { query: string; texts: string[] }; output: RankedText[]; parameters: object };
}

const client = createClient<Models>("https://models.test/ml", {
  key: "k",
  headers: { "X-A": "b" },
});

export async function rightUses(file: File, signal: AbortSignal | undefined) {
  const one = await client.predict("flowers", { length: 1, width: 2 });
  const label: "rose" | "tulip" = one.outputs.label;
  const score: number | undefined = one.outputs.scores.rose;
  const many: Prediction<Classification<"rose" | "tulip">[]> = await client.predict(
    "flowers",
    [
      { length: 1, width: 2, colour: "red" },
      { length: 1, width: 2 },
    ],
    { version: "2", parameters: { top_k: 1 }, signal, timeoutMs: 100, requestId: "a" },
  );
  await client.predict("flowers", [1, 2]);
  const byPosition: { label: string }[] = (
    await client.predict("flowers", [
      [1, 2],
      [3, 4],
    ])
  ).outputs;
  for (const image of [file, new Uint8Array(), "data:image/png;base64,"] as const)
    await client.predict("digits", image);
  await client.predict("digits", [file, "iVBO"]);
  // An input that is an array itself: one basket, then two.
  const basket: string = (await client.predict("retail", ["a", "b"])).outputs[0]?.name ?? "";
  const baskets: RecommendedItem[][] = (await client.predict("retail", [["a"], ["b"]])).outputs;
  const frozen: readonly string[] = ["a", "b"];
  const numbers: number[] = (await client.predict("plain", frozen)).outputs;
  const { features = [] } = await client.model("flowers", { version: "1" });
  const names: string[] = features.map(({ name }) => name);
  const tasks: string[] = (await client.models({ signal })).map(({ task }) => task);
  const alive: "ok" = (await client.health()).status;
  return { label, score, many, byPosition, basket, baskets, numbers, names, tasks, alive };
}

export async function rightCalls(signal: AbortSignal, image: Blob) {
  const vector: number[] = (await client.embed("search", "a", { dimensions: 8, signal })).outputs;
  const vectors: number[][] = (await client.embed("search", ["a", "b"])).outputs;
  const [best] = (await client.rerank("ranker", "a", ["b", "c"], { topN: 1 })).outputs;
  const document: string | undefined = best?.document;
  const job = await client.jobs.submit("flowers", { length: 1, width: 2 }, { id: "order-1" });
  const label: "rose" | "tulip" = (await client.jobs.wait(job, { signal })).outputs.label;
  await client.jobs.submit("digits", [image, image], { webhook: "https://hooks.test" });
  const again: "rose" | "tulip" = (await client.jobs.wait(await client.jobs.cancel(job))).outputs
    .label;
  const unknown: unknown = (await client.jobs.wait("order-1")).outputs;
  const statuses: JobStatus[] = [];
  for await (const { status } of client.jobs.events("order-1", { signal })) statuses.push(status);
  const counted: "counted" | "known" = await client.feedback("r1", ["rose", null]);
  const traced = createClient("https://models.test", { onError: ({ traceId }) => void traceId });
  const anything: number[][] = (await traced.embed("any", ["a"])).outputs;
  return { vector, vectors, document, label, again, unknown, statuses, counted, anything };
}

export async function wrongCalls() {
  // @ts-expect-error: a model without vectors
  await client.embed("flowers", "a");
  // @ts-expect-error: no text
  await client.embed("search", 5);
  // @ts-expect-error: a model that does not rank
  await client.rerank("search", "a", ["b"]);
  // @ts-expect-error: a misspelt feature
  await client.jobs.submit("flowers", { length: 1, widht: 2 });
  const job = await client.jobs.submit("flowers", { length: 1, width: 2 });
  const { outputs } = await client.jobs.wait(job);
  // @ts-expect-error: a label that there is not
  const isLily = outputs.label === "lily";
  // @ts-expect-error: no status
  const isDone = job.status === "done";
  return { isLily, isDone };
}

export async function wrongUses() {
  // @ts-expect-error: a misspelt feature
  await client.predict("flowers", { length: 1, widht: 2 });
  // @ts-expect-error: a feature too many
  await client.predict("flowers", { length: 1, width: 2, height: 3 });
  // @ts-expect-error: a feature too many, in one of several
  await client.predict("flowers", [{ length: 1, width: 2, height: 3 }]);
  // @ts-expect-error: a value of the wrong type
  await client.predict("flowers", { length: "1", width: 2 });
  // @ts-expect-error: a category that there is not
  await client.predict("flowers", { length: 1, width: 2, colour: "green" });
  // @ts-expect-error: a model that there is not
  await client.predict("flower", { length: 1, width: 2 });
  // @ts-expect-error: a parameter that there is not
  await client.predict("flowers", { length: 1, width: 2 }, { parameters: { topK: 1 } });
  // @ts-expect-error: no parameters at all
  await client.predict("plain", "a", { parameters: { top_k: 1 } });
  // @ts-expect-error: an option that there is not
  await client.predict("flowers", { length: 1, width: 2 }, { timeout: 1 });
  // @ts-expect-error: no image
  await client.predict("digits", 5);
  const one = await client.predict("flowers", { length: 1, width: 2 });
  // @ts-expect-error: a label that there is not
  const isLily = one.outputs.label === "lily";
  // @ts-expect-error: one answer, not several
  const answers = one.outputs.map(String);
  const many = await client.predict("flowers", [{ length: 1, width: 2 }]);
  // @ts-expect-error: several answers, not one
  const label: unknown = many.outputs.label;
  // @ts-expect-error: a model's types without its answer
  createClient<{ flowers: { input: string; parameters: object } }>("https://models.test");
  // @ts-expect-error: no option of a client
  createClient("https://models.test", { token: "k" });
  return { isLily, answers, label };
}

/** Without types the client takes every model and input, and the caller must check the answers. */
export async function untyped() {
  const anything = createClient("https://models.test");
  const { outputs } = await anything.predict("any", [{ what: "ever" }], {
    parameters: { top_k: 3 },
  });
  // @ts-expect-error: unknown
  const label: string = outputs.label;
  const isUnknown: unknown = outputs;
  return { label, isUnknown };
}

export function errors(error: unknown): string[] {
  if (!(error instanceof NearcastClientError)) return [];
  const seconds: number | undefined = error.retryAfterSeconds;
  if (error.code === "invalid_input" || error.code === "a_newer_code") return [error.detail];
  // @ts-expect-error: not to be changed
  error.status = 200;
  return [String(seconds), ...error.errors.map(({ path, message }) => `${path} ${message}`)];
}
