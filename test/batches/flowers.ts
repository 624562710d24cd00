import { expect } from "vitest";

const NAMES = ["sepal_length", "sepal_width", "petal_length", "petal_width"];
export const HEADER = `${NAMES.join(",")}\n`;
export const OBJECT_TYPE = { "Content-Type": "application/json" };

export interface Shown {
  id: string;
  status: string;
  counts: { total?: number; completed: number; failed: number };
  error?: { code: string; detail: string };
}

type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

/** Lines of CSV, all different. One in a hundred has no answer. */
export function flowerLines(count: number): string[] {
  return Array.from({ length: count }, (_, row) =>
    row % 100 === 42
      ? `1,2,${row}\n`
      : `${4 + (row % 41) / 10},3,${1 + (row % 59) / 10},${(row % 25) / 10}\n`,
  );
}

const isWrong = (line: string) => line.split(",").length !== NAMES.length;

/** What each line is answered in calls of so many rows: its output as JSON, or null. */
export async function answersOf(fetch: Fetch, lines: readonly string[], rows: number) {
  const right = lines.filter((line) => !isWrong(line));
  const outputs: unknown[] = [];
  for (let first = 0; first < right.length; first += rows) {
    const inputs = right.slice(first, first + rows).map((line) => line.split(",").map(Number));
    const answer = await fetch("/v1/models/iris/predict", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ inputs }),
    });
    expect(answer.status).toBe(200);
    outputs.push(...((await answer.json()) as { outputs: unknown[] }).outputs);
  }
  // Taking them off the front would hold this process, and its idle connections would end meanwhile.
  let next = 0;
  return lines.map((line) => (isWrong(line) ? null : outputs[next++]));
}

/** Waits until the batch has ended. */
export async function endOf(fetch: Fetch, location: string): Promise<Shown> {
  for (const endsAt = Date.now() + 170_000; ;) {
    const answer = await fetch(location);
    expect(answer.status).toBe(200);
    const shown = (await answer.json()) as Shown;
    if (!["queued", "validating", "running"].includes(shown.status)) return shown;
    if (Date.now() > endsAt) expect.unreachable(JSON.stringify(shown));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The rows of a batch are answered as those of calls, and errors have the lines of the file. */
export async function expectAnswered(
  fetch: Fetch,
  location: string,
  { lines, answers }: { lines: readonly string[]; answers: readonly unknown[] },
): Promise<void> {
  const failed = lines.filter(isWrong).length;
  expect(await endOf(fetch, location)).toMatchObject({
    status: "succeeded",
    counts: { total: lines.length, completed: lines.length - failed, failed },
  });
  const read = async (what: string) =>
    (await (await fetch(`${location}/${what}`)).text())
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
  expect(await read("output")).toEqual(answers);
  const errors = (await read("errors")) as { line: number }[];
  // The header is the first line.
  expect(errors.map(({ line }) => line)).toEqual(
    lines.flatMap((line, row) => (isWrong(line) ? [row + 2] : [])),
  );
}

/** A batch that is removed and made again at once has the answers of its own file, never those of one before. */
export async function expectOwnAnswers(fetch: Fetch, rows: number): Promise<void> {
  const put = async (lines: readonly string[]) => {
    const made = await fetch("/v1/batches/again?model=iris", {
      method: "PUT",
      headers: { "Content-Type": "text/csv" },
      body: HEADER + lines.join(""),
    });
    expect(made.status).toBe(202);
    return made.headers.get("location") ?? "";
  };
  const all = flowerLines(4 * rows + 20);
  for (let round = 0; round < 8; round++) {
    const location = await put(all.slice(round));
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 120));
    expect((await fetch(location, { method: "DELETE" })).status).toBe(200);
  }
  const lines = all.toReversed();
  const answers = await answersOf(fetch, lines, rows);
  await expectAnswered(fetch, await put(lines), { lines, answers });
}

/** A file of OpenAI's kind goes in, and its answers come out: those of the calls. */
export async function expectEmbedded(fetch: Fetch): Promise<void> {
  const texts = ["a red lamp", "a blue chair", "two green cups"];
  const lines = texts.map((input, index) => {
    const body = { model: "search", input };
    return JSON.stringify({ custom_id: `${index}`, method: "POST", url: "/v1/embeddings", body });
  });
  const form = new FormData();
  form.append("purpose", "batch");
  form.append("file", new Blob([lines.join("\n")]), "texts.jsonl");
  const { headers, body } = new Response(form);
  const type = { "Content-Type": headers.get("content-type") ?? "" };
  const bytes = await new Response(body).bytes();
  const file = await fetch("/v1/files", { method: "POST", headers: type, body: bytes });
  expect(file.status).toBe(200);
  const post = async (path: string, asked: object) =>
    (await fetch(path, {
      method: "POST",
      headers: OBJECT_TYPE,
      body: JSON.stringify(asked),
    }).then((answer) => answer.json())) as Record<string, string>;
  const made = await post("/v1/batches", {
    input_file_id: ((await file.json()) as { id: string }).id,
    endpoint: "/v1/embeddings",
    completion_window: "24h",
  });
  let batch: Record<string, unknown> = {};
  const look = async () => {
    batch = (await (await fetch(`/v1/batches/${made["id"]}`)).json()) as Record<string, unknown>;
    return batch["status"];
  };
  await expect.poll(look, { timeout: 60_000, interval: 200 }).toBe("completed");
  const content = await fetch(`/v1/files/${String(batch["output_file_id"])}/content`);
  const answers = (await content.text()).trimEnd().split("\n");
  const bodies = answers.map(
    (line) => (JSON.parse(line) as { response: { body: unknown } }).response.body,
  );
  const wanted = [];
  for (const input of texts) wanted.push(await post("/v1/embeddings", { model: "search", input }));
  expect(bodies).toEqual(wanted);
}
