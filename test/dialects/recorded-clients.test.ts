import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inThisFile } from "../harness/in-this-file.ts";
import type { Target } from "../harness/targets.ts";
import { PLATFORMS } from "./platforms.ts";

interface Recorded {
  name: string;
  request: {
    method: string;
    path: string;
    headers: Record<string, string>;
    body?: string;
    base64?: string;
  };
  answers?: { species?: number[]; vectors?: [number, number]; members?: object };
  /** What the refusal says. */
  refused?: string;
}

// What the clients themselves sent: test/fixtures/clients/make.py.
const { cases } = JSON.parse(
  await readFile(new URL("../fixtures/clients/recorded.json", import.meta.url), "utf8"),
) as { cases: Recorded[] };

describe.each(inThisFile(PLATFORMS))("on %s", (_name, start) => {
  let server: Target;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.stop());

  test.each(cases)("$name", async ({ request, answers, refused }) => {
    const { method, path, headers, body, base64 } = request;
    const sent = base64 === undefined ? body : Buffer.from(base64, "base64");
    const response = await server.fetch(path, { method, headers, ...(sent && { body: sent }) });
    const bytes = Buffer.from(await response.arrayBuffer());
    if (refused !== undefined) {
      expect(response.status, bytes.toString()).toBeGreaterThanOrEqual(400);
      expect(response.status).toBeLessThan(500);
      return expect(bytes.toString()).toContain(refused);
    }
    expect(response.status, bytes.toString()).toBe(200);
    if (answers?.species) expect(speciesOf(response, bytes)).toEqual(answers.species);
    if (answers?.members) expect(JSON.parse(bytes.toString())).toMatchObject(answers.members);
    if (answers?.vectors) {
      const { data } = JSON.parse(bytes.toString()) as { data: { embedding: unknown }[] };
      const lengths = data.map(({ embedding }) => numbersOf(embedding).length);
      expect(lengths).toEqual(Array(answers.vectors[0]).fill(answers.vectors[1]));
    }
  });
});

/** The best class of each row, in the answer of any protocol. */
function speciesOf(response: Response, bytes: Buffer): number[] {
  const length = Number(response.headers.get("inference-header-content-length") ?? bytes.length);
  const body = JSON.parse(bytes.subarray(0, length).toString()) as {
    outputs?: unknown[];
    predictions?: unknown[];
  };
  const [output] = (body.outputs ?? []) as { shape?: number[]; data?: number[] }[];
  if (!output?.shape) return (body.predictions ?? body.outputs ?? []).map(bestOf);
  const binary = new Uint8Array(bytes.subarray(length));
  const values = output.data ?? [...new Float32Array(binary.buffer)];
  const [rows = 0, classes = 0] = output.shape;
  return Array.from({ length: rows }, (_, row) =>
    bestOf(values.slice(row * classes, (row + 1) * classes)),
  );
}

function bestOf(row: unknown): number {
  if (Array.isArray(row)) return row.indexOf(Math.max(...(row as number[])));
  return ["setosa", "versicolor", "virginica"].indexOf((row as { label: string }).label);
}

function numbersOf(embedding: unknown): unknown[] {
  if (Array.isArray(embedding)) return embedding;
  const bytes = new Uint8Array(Buffer.from(String(embedding), "base64"));
  return [...new Float32Array(bytes.buffer)];
}
