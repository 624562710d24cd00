// Runs on every runtime that the client is for, and gives what it saw there. The service has the models of `models.ts`.
import { createClient, NearcastClientError, type Client } from "../../client/src/index.ts";

const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };

export const QUERY = "great phone";
export const TEXTS = ["a phone", "bread is baked", "great"];

export interface Asked {
  url: string;
  key: string;
  /** A key with a rate of one request in two seconds. */
  slowKey: string;
  /** Makes the ids of jobs and requests its own. */
  runtime: string;
}

/** What a failed call says, and for other errors their name. */
async function failure(call: Promise<unknown>): Promise<unknown> {
  const error = await call.catch((reason: unknown) => reason);
  if (!(error instanceof NearcastClientError)) return (error as Error).name;
  const { code, status, errors } = error;
  return { code, status, errors };
}

export async function askEverything({ url, key, slowKey, runtime }: Asked) {
  const told: string[] = [];
  const options = { key, onError: ({ code }: { code: string }) => void told.push(code) };
  const client = createClient(url, options);
  // A fast service answers within the shortest time-out.
  const distant = createClient(url, {
    ...options,
    fetch: async (...asked) => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return fetch(...asked);
    },
  });
  const requestId = `${runtime}-1`;

  const predicted = await client.predict("iris", flower, { requestId });
  const wrong = await failure(client.predict("iris", [flower, { ...flower, sepal_width: 50 }]));
  const embedded = await client.embed("search", ["a red lamp", "candle"]);
  const one = await client.embed("search", "candle");
  const ranked = await client.rerank("rank-bert", QUERY, TEXTS, {
    topN: 1,
  });

  const [first, second, third] = [1, 2, 3].map((place) => `${runtime}-job-${place}`);
  const job = await client.jobs.submit("digits", new Blob([await pixels(client)]), { id: first });
  const statuses: string[] = [];
  for await (const { status } of client.jobs.events(job)) statuses.push(status);
  const answered = await client.jobs.wait(job);
  const polled = await client.jobs.submit("iris", [flower, flower], { id: second });
  const waited = await client.jobs.wait(polled, { timeoutMs: 60_000 });
  const ended = await client.jobs.cancel(second ?? "");
  await client.jobs.remove(second ?? "");
  const gone = await failure(client.jobs.get(second ?? ""));
  const failing = await client.jobs.submit("iris", { ...flower, sepal_width: 50 }, { id: third });

  const controller = new AbortController();
  const aborted = failure(client.predict("iris", flower, { signal: controller.signal }));
  controller.abort();
  const slow = createClient(url, { key: slowKey });
  const twice = await Promise.all([slow.predict("iris", flower), slow.predict("iris", flower)]);

  return {
    predicted: labelOf(predicted.outputs),
    wrong,
    lengths: embedded.outputs.map(({ length }) => length),
    same: JSON.stringify(one.outputs) === JSON.stringify(embedded.outputs[1]),
    ranked: ranked.outputs.map(({ index, document }) => [index, document]),
    job: { status: job.status, statuses, digit: labelOf(answered.outputs) },
    waited: (waited.outputs as unknown[]).map(labelOf),
    ended: ended.status,
    gone,
    failed: await failure(client.jobs.wait(failing)),
    feedback: await client.feedback(requestId, "setosa"),
    again: await client.feedback(requestId, "setosa"),
    aborted: await aborted,
    late: await failure(distant.jobs.wait(failing.id, { timeoutMs: 5 })),
    limited: twice.map(({ outputs }) => labelOf(outputs)),
    told,
  };
}

function labelOf(output: unknown): unknown {
  return (output as { label: unknown }).label;
}

/** The bytes of the model's own first example. */
async function pixels(client: Client) {
  const { examples } = await client.model("digits");
  return Uint8Array.from(atob(examples[0]?.input as string), (one) => one.charCodeAt(0));
}
