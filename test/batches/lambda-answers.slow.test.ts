import OpenAI from "openai";
import { expect, test } from "vitest";
import { answeredBatch, clientOf } from "../files/client.ts";
import { locationOf, startJobsOnLambda } from "../jobs/started-lambda.ts";
import { endOf, flowerLines, HEADER } from "./flowers.ts";

const LIMIT_MS = 400_000;
const PART_BYTES = 4_000_000;

type Ask = (path: string, init?: RequestInit) => Promise<Response>;

/** All bytes of what is too long for one answer, asked for in parts. */
async function inParts(ask: Ask, path: string): Promise<string> {
  let [text, size] = ["", Infinity];
  while (text.length < size) {
    const headers = { Range: `bytes=${text.length}-${text.length + PART_BYTES - 1}` };
    const part = await ask(path, { headers });
    expect(part.status).toBe(206);
    const [, start, end, of] =
      /^bytes (\d+)-(\d+)\/(\d+)$/.exec(part.headers.get("content-range") ?? "") ?? [];
    expect(Number(start)).toBe(text.length);
    text += await part.text();
    expect(Number(end)).toBe(text.length - 1);
    size = Number(of);
  }
  expect((await ask(path, { headers: { Range: `bytes=${size}-` } })).status).toBe(416);
  return text;
}

async function expectTooLong(answer: Response): Promise<void> {
  expect(answer.status).toBe(507);
  expect(await answer.text()).toMatch(/more than the 4500000 of an answer.*with Range/);
}

test(
  "outputs that are too long for an answer of Lambda are refused, and given in parts",
  async () => {
    const { ask, work } = await startJobsOnLambda();
    work();
    const lines = flowerLines(45_000);
    const made = await ask("/v1/batches?model=iris", {
      method: "POST",
      headers: { "Content-Type": "text/csv" },
      body: HEADER + lines.join(""),
    });
    expect(made.status).toBe(202);
    expect(await endOf(ask, locationOf(made))).toMatchObject({ status: "succeeded" });
    await expectTooLong(await ask(`${locationOf(made)}/output`));
    const output = await inParts(ask, `${locationOf(made)}/output`);
    expect(output.length).toBeGreaterThan(PART_BYTES);
    expect(output.match(/\n/g)).toHaveLength(lines.length);
    expect(output.match(/^null$/gm)).toHaveLength(lines.length / 100);
    for (const line of output.trimEnd().split("\n")) JSON.parse(line);
  },
  LIMIT_MS,
);

test(
  "the official client's batch is answered, and a file that is too long for an answer is given in parts",
  async () => {
    const { ask, work } = await startJobsOnLambda();
    work();
    const client = clientOf(ask);
    const texts = Array.from({ length: 100 }, (_, text) => `lamp ${text}`);
    const requests = Array.from({ length: 30 }, (_, row) => ({
      custom_id: `${row}`,
      method: "POST",
      url: "/v1/embeddings",
      body: { model: "search", input: row === 7 ? 7 : texts, encoding_format: "float" },
    }));
    const { batch } = await answeredBatch(client, requests);
    const counts = { total: 30, completed: 29, failed: 1 };
    expect(batch).toMatchObject({ status: "completed", request_counts: counts });
    const errors = await (await client.files.content(batch.error_file_id ?? "")).text();
    expect(JSON.parse(errors)).toMatchObject({ custom_id: "7", response: { status_code: 422 } });

    const path = `/v1/files/${batch.output_file_id}/content`;
    await expectTooLong(await ask(path));
    const refused = client.files.content(batch.output_file_id ?? "");
    await expect(refused).rejects.toThrow(OpenAI.InternalServerError);
    const headers = { Range: "bytes=0-9" };
    const first = await client.files.content(batch.output_file_id ?? "", { headers });
    expect([first.status, (await first.bytes()).length]).toEqual([206, 10]);
    const answers = (await inParts(ask, path))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { custom_id: string; response: { body: unknown } });
    expect(answers.map(({ custom_id: id }) => Number(id))).toEqual(
      requests.map((_, row) => row).filter((row) => row !== 7),
    );
    const now = await client.embeddings.create({
      model: "search",
      input: texts,
      encoding_format: "float",
    });
    for (const { response } of answers) expect(response.body).toEqual(now);
  },
  LIMIT_MS,
);
