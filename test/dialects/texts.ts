import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addExport } from "../hugging-face/export-folder.ts";
import { recordedRows } from "../tasks/recorded-tasks.ts";
import { post } from "./platforms.ts";

const shipped = join(import.meta.dirname, "../../models");
const RANK = "rank-bert";
const SPLADE = "splade-bert";
const SIMILAR = "similar-bert";
const FORMS = "vectors-bert";
const QUERY = "great phone";
const TEXTS = ["a phone", "bread is baked", "great", "the actor lived"];

/** `search` is the default: `tokens`, which gives a vector for each token, has the same task. */
export const TEXTS_ENV = { DEFAULT_MODEL: "search", AUTH: "none", ACCESS_LOG: "false" };

/** A folder with a model for each task of texts that these dialects have. The caller removes it. */
export async function textModels(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-texts-"));
  await addExport(folder, RANK, "text-ranking");
  await addExport(folder, SPLADE);
  await addExport(folder, "splade-roberta");
  await addExport(folder, FORMS);
  await addExport(folder, SIMILAR, "sentence-similarity");
  await changeManifest(folder, RANK, ({ ranking }) => ({
    ranking: { ...(ranking as object), activation: "sigmoid" },
  }));
  for (const model of ["search", "sentiment"])
    await cp(join(shipped, model), join(folder, model), { recursive: true });
  await addTokens(folder);
  return folder;
}

/** The model `tokens`: search with a vector for each token. */
export async function addTokens(folder: string): Promise<void> {
  await mkdir(join(folder, "tokens"));
  await cp(join(shipped, "search/1"), join(folder, "tokens/1"), { recursive: true });
  await changeManifest(folder, "tokens", ({ text }) => ({
    name: "tokens",
    examples: [],
    text: { ...(text as object), pooling: "none" },
  }));
  await writeFile(join(folder, "tokens/release.json"), JSON.stringify({ stable: "1" }));
}

async function changeManifest(
  folder: string,
  model: string,
  change: (manifest: Record<string, unknown>) => object,
): Promise<void> {
  const path = join(folder, model, "1/model.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
  await writeFile(path, JSON.stringify({ ...manifest, ...change(manifest) }));
}

interface Served {
  fetch: (path: string, init?: RequestInit) => Promise<Response>;
  stop: () => Promise<void>;
}

type Sparse = { index: number; value: number }[];
interface TokenRow {
  text: string;
  special: boolean;
  /** The id and the name of a special token, or the id and the place of another. */
  tokens: ([number, string] | [number, number, number])[];
  decoded: [string, string];
}

async function recordedTokens(model: string): Promise<TokenRow[]> {
  const path = join(import.meta.dirname, `../fixtures/hugging-face/tasks/${model}-tokens.json.gz`);
  return JSON.parse(gunzipSync(await readFile(path)).toString()) as TokenRow[];
}

function tokensOf({ text, tokens }: TokenRow) {
  const all = Array.from(text);
  return tokens.map(([id, start, stop]) =>
    typeof start === "string"
      ? { id, text: start, special: true, start: null, stop: null }
      : { id, text: all.slice(start, stop).join(""), special: false, start, stop },
  );
}

type Embedded = { embeddings: Record<string, number[][]> & { base64?: string[] } };

/** The numbers of base64 of little-endian float32. */
function floatsOf(text: string): number[] {
  return Array.from(new Float32Array(Uint8Array.from(Buffer.from(text, "base64")).buffer));
}

function near(vector: number[]) {
  return vector.map((value) => expect.closeTo(value, 5) as number);
}

type Ranked = { index: number; score: number; text?: string }[];

/** Asks as clients of text-embeddings-inference, Jina and Cohere do. */
export function answersTexts(start: (models: string) => Promise<Served>): void {
  let models: string;
  let served: Served;
  beforeAll(async () => {
    models = await textModels();
    served = await start(models);
  });
  afterAll(async () => {
    await served?.stop();
    if (models) await rm(models, { recursive: true });
  });

  const ask = async <Answer>(path: string, body: object, status = 200): Promise<Answer> => {
    const answer = await post(served, path, body);
    expect([answer.status, answer.body]).toEqual([status, expect.anything()]);
    return answer.body as Answer;
  };

  test("TEI /rerank without a model gives what CrossEncoder gives, best first", async () => {
    const rows = (await recordedRows(RANK)).filter(({ outputs }) => (outputs as Ranked).length > 1);
    for (const { inputs, outputs } of rows.slice(0, 5)) {
      const { query, texts } = inputs as { query: string; texts: string[] };
      const body = { query, texts, truncate: true, raw_scores: true };
      const ranked = await ask<Ranked>("/rerank", body);
      expect(ranked).toHaveLength(texts.length);
      for (const [place, { index, score }] of (outputs as Ranked).entries())
        expect(ranked[place]).toEqual({ index, score: expect.closeTo(score, 4) as number });
    }
  });

  test("TEI /rerank gives raw scores and texts where they are asked for", async () => {
    const plain = await ask<Ranked>("/rerank", { query: QUERY, texts: TEXTS });
    const raw = await ask<Ranked>("/rerank", {
      query: QUERY,
      texts: TEXTS,
      raw_scores: true,
      return_text: true,
    });
    expect(raw.map(({ text }) => text)).toEqual(plain.map(({ index }) => TEXTS[index]));
    for (const [place, { score }] of raw.entries())
      expect(1 / (1 + Math.exp(-score))).toBeCloseTo(plain[place]?.score ?? 0, 5);
  });

  test("Jina and Cohere rank as TEI does, the best ones", async () => {
    const all = await ask<Ranked>("/rerank", { query: QUERY, texts: TEXTS });
    const best = all.slice(0, 2);
    const body = { model: RANK, query: QUERY, top_n: 2 };
    const documents = [TEXTS[0], { text: TEXTS[1] }, ...TEXTS.slice(2)];
    const jina = await ask<object>("/v1/rerank", { ...body, documents });
    const tokens = expect.any(Number) as number;
    expect(jina).toEqual({
      model: RANK,
      object: "list",
      usage: { total_tokens: tokens, prompt_tokens: tokens },
      results: best.map(({ index, score }) => ({
        index,
        relevance_score: score,
        document: { text: TEXTS[index] },
      })),
    });
    const bare = { ...body, documents, return_documents: false };
    const results = best.map(({ index, score }) => ({ index, relevance_score: score }));
    expect(await ask("/v1/rerank", bare)).toMatchObject({ results });
    expect(await ask("/v2/rerank", { ...body, documents: TEXTS })).toEqual({
      id: expect.any(String) as string,
      results,
      meta: { api_version: { version: "2" }, billed_units: { search_units: 1 } },
    });
  });

  test("TEI /embed gives the vectors of /v1/embeddings, of length 1", async () => {
    const embeddings = await ask<{ data: { embedding: number[] }[] }>("/v1/embeddings", {
      model: "search",
      input: TEXTS,
    });
    const vectors = await ask<number[][]>("/embed", { inputs: TEXTS });
    expect(vectors).toHaveLength(TEXTS.length);
    for (const [index, vector] of vectors.entries())
      for (const [at, value] of (embeddings.data[index]?.embedding ?? []).entries())
        expect(vector[at]).toBeCloseTo(value, 5);
    const [one, ...others] = await ask<number[][]>("/embed", { inputs: TEXTS[0], dimensions: 8 });
    expect(others).toEqual([]);
    expect(one).toHaveLength(8);
    expect(Math.hypot(...(one ?? []))).toBeCloseTo(1, 5);
  });

  test("Cohere /v2/embed gives vectors in the forms that are asked for, with the model's prompts", async () => {
    const body = { model: FORMS, texts: TEXTS };
    const native = async (parameters: object) => {
      const asked = { inputs: TEXTS, parameters };
      return (await ask<{ outputs: number[][] }>(`/v1/models/${FORMS}/predict`, asked)).outputs;
    };
    const embedding_types = ["float", "int8", "uint8", "binary", "ubinary", "base64"];
    const made = await ask<Embedded>("/v2/embed", { ...body, embedding_types });
    expect(made).toMatchObject({
      id: expect.any(String) as string,
      texts: TEXTS,
      meta: { billed_units: { input_tokens: expect.any(Number) as number } },
    });
    const { base64, ...numbers } = made.embeddings;
    expect(numbers).toEqual({
      float: await native({}),
      int8: await native({ precision: "int8" }),
      uint8: await native({ precision: "uint8" }),
      binary: await native({ precision: "binary" }),
      ubinary: await native({ precision: "ubinary" }),
    });
    for (const [index, text] of (base64 ?? []).entries())
      expect(floatsOf(text)).toEqual(made.embeddings.float?.[index]);
    const query = await ask<Embedded>("/v2/embed", { ...body, input_type: "search_query" });
    expect(query.embeddings).toEqual({ float: await native({ prompt_name: "query" }) });
    const short = await ask<Embedded>("/v2/embed", { ...body, output_dimension: 8 });
    for (const [index, vector] of (await native({ dimensions: 8 })).entries())
      expect(short.embeddings.float?.[index]).toEqual(near(vector));
  });

  test("OpenAI /v1/embeddings gives packed bits where Jina's clients ask for them", async () => {
    const body = { model: FORMS, input: TEXTS };
    type Data = { data: { embedding: number[] }[] };
    for (const embedding_type of ["binary", "ubinary"]) {
      const { data } = await ask<Data>("/v1/embeddings", { ...body, embedding_type });
      const { embeddings } = await ask<Embedded>("/v2/embed", {
        model: FORMS,
        texts: TEXTS,
        embedding_types: [embedding_type],
      });
      expect(data.map(({ embedding }) => embedding)).toEqual(embeddings[embedding_type]);
    }
  });

  test("TEI /embed_all gives a vector for each token", async () => {
    const [one, two] = await ask<number[][][]>("/embed_all", {
      model: "tokens",
      inputs: ["a phone", "a great phone"],
    });
    expect(two?.length).toBeGreaterThan(one?.length ?? Infinity);
    expect(one?.[0]).toHaveLength(two?.[0]?.length ?? 0);
  });

  test("TEI /embed_sparse gives the numbers of SparseEncoder that are not 0", async () => {
    const rows = (await recordedRows(SPLADE)).filter(({ inputs }) => inputs !== "").slice(0, 5);
    const inputs = rows.map((row) => row.inputs);
    const vectors = await ask<Sparse[]>("/embed_sparse", { inputs, truncate: true, model: SPLADE });
    expect(vectors).toEqual(
      rows.map(({ outputs }) =>
        (outputs as Sparse).map(({ index, value }) => ({
          index,
          value: expect.closeTo(value, 4) as number,
        })),
      ),
    );
    const one = await ask("/embed_sparse", { inputs: inputs[0], truncate: true, model: SPLADE });
    expect(one).toEqual(vectors.slice(0, 1));
    const info = await (await served.fetch(`/info?model=${SPLADE}`)).json();
    expect(info).toMatchObject({ model_type: { embedding: { pooling: "splade" } } });
  });

  test.each([SPLADE, "splade-roberta"])(
    "TEI /tokenize and /decode give what tokenizers gives in Python: %s",
    async (model) => {
      for (const special of [true, false]) {
        const rows = (await recordedTokens(model)).filter((row) => row.special === special);
        const inputs = rows.map(({ text }) => text);
        const wanted = rows.map(tokensOf);
        const body = { model, inputs, add_special_tokens: special };
        expect(await ask("/tokenize", body)).toEqual(wanted);
        const ids = wanted.map((tokens) => tokens.map(({ id }) => id));
        for (const [at, skips] of [true, false].entries())
          expect(await ask("/decode", { model, ids, skip_special_tokens: skips })).toEqual(
            rows.map(({ decoded }) => decoded[at]),
          );
      }
    },
  );

  test("TEI /tokenize and /decode take one text too, and go to the model behind /embed", async () => {
    const [tokens = []] = await ask<{ id: number; special: boolean }[][]>("/tokenize", {
      inputs: "a phone",
    });
    expect(tokens).toEqual(
      (await ask<object[][]>("/tokenize", { inputs: ["a phone"], model: "search" }))[0],
    );
    const ids = tokens.map(({ id }) => id);
    expect(await ask("/decode", { ids })).toEqual(["a phone"]);
    // No text is cut.
    const [all] = await ask<object[][]>("/tokenize", { inputs: "phone ".repeat(2000) });
    expect(all?.length).toBeGreaterThan(2000);
  });

  test("TEI /similarity gives cosines", async () => {
    const [source, ...sentences] = TEXTS;
    const inputs = { source_sentence: source, sentences: [...sentences, source] };
    const cosines = await ask<number[]>("/similarity", { inputs });
    const [first = [], ...others] = await ask<number[][]>("/embed", {
      inputs: [...TEXTS, TEXTS[0]],
    });
    for (const [index, vector] of others.entries())
      expect(cosines[index]).toBeCloseTo(
        vector.reduce((sum, value, at) => sum + value * (first[at] ?? 0), 0),
        5,
      );
    expect(cosines.at(-1)).toBeCloseTo(1, 5);
  });

  test("TEI /similarity asks a model of sentence-similarity too", async () => {
    for (const { inputs, outputs } of (await recordedRows(SIMILAR)).slice(0, 5)) {
      const body = { model: SIMILAR, inputs, parameters: { truncate: true } };
      expect(await ask("/similarity", body)).toEqual(near(outputs as number[]));
    }
  });

  test("TEI /predict gives labels with scores, of one text and of several", async () => {
    type Labels = { label: string; score: number }[];
    const native = await ask<{ outputs: { label: string; score: number } }>(
      "/v1/models/sentiment/predict",
      { inputs: "I love it" },
    );
    const one = await ask<Labels>("/predict", { inputs: "I love it" });
    expect(one[0]).toMatchObject(native.outputs.label ? { label: native.outputs.label } : {});
    expect(one.map(({ score }) => score)).toEqual(
      one.map(({ score }) => score).toSorted((a, b) => b - a),
    );
    expect(await ask("/predict", { inputs: ["I love it"] })).toEqual(one);
    const batch = await ask<Labels[]>("/predict", { inputs: [["I love it"], ["I hate it"]] });
    expect(batch).toHaveLength(2);
    expect(batch[0]).toEqual(one);
    const top = await ask<Labels>("/predict", { inputs: "I love it", parameters: { top_k: 1 } });
    expect(top).toEqual(one.slice(0, 1));
  });

  test("TEI /info says what answers", async () => {
    const info = await (await served.fetch("/info")).json();
    expect(info).toMatchObject({
      model_id: "search",
      model_type: { embedding: { pooling: expect.any(String) as string } },
      max_client_batch_size: expect.any(Number) as number,
      max_input_length: expect.any(Number) as number,
    });
    const rank = await (await served.fetch(`/info?model=${RANK}`)).json();
    expect(rank).toMatchObject({ model_id: RANK, model_type: { reranker: {} } });
    expect((await served.fetch("/health")).status).toBe(200);
  });

  const long = "phone ".repeat(2000);
  test("texts of too many tokens are cut where that is asked for, and always by Jina and Cohere", async () => {
    const refused = await ask<object>("/rerank", { query: QUERY, texts: [long] }, 422);
    expect(refused).toEqual({
      error: expect.stringMatching(/^texts\[0\] must have at most \d+ tokens/) as string,
      error_type: "Validation",
    });
    await ask("/rerank", { query: QUERY, texts: [long], truncate: true });
    await ask("/embed", { inputs: long }, 422);
    await ask("/embed", { inputs: long, truncate: true });
    await ask("/v1/rerank", { query: QUERY, documents: [long] });
    await ask("/v2/rerank", { query: QUERY, documents: [long] });
  });

  const many = Array.from({ length: 1001 }, () => "a");
  test.each<[path: string, body: object, status: number, error: string | RegExp]>([
    ["/rerank", { query: QUERY, texts: ["a", 5] }, 422, "texts[1] must be a string"],
    ["/rerank", { query: QUERY, texts: [] }, 422, /^texts must be an array/],
    ["/rerank", { query: QUERY, texts: many }, 413, /batch size 1001 > maximum allowed/],
    ["/rerank", { query: QUERY, texts: ["a"], model: "search" }, 422, /^model has the task/],
    ["/rerank", { query: QUERY, texts: ["a"], model: "nobody" }, 404, /no model "nobody"/],
    ["/rerank", { query: QUERY, texts: ["a"], top_n: 1 }, 422, /top_n/],
    ["/embed", { inputs: [[1, 2]] }, 422, /^inputs must be a string/],
    ["/embed", { inputs: "a", model: "tokens" }, 422, /one a token/],
    ["/embed", { inputs: "a", model: SPLADE }, 422, /^model has the task .* with splade, and/],
    ["/embed_sparse", { inputs: "a", model: "search" }, 422, /this needs .* with splade/],
    ["/embed_sparse", { inputs: ["a", 5] }, 422, /^inputs must be a string/],
    ["/embed_sparse", { inputs: many, model: SPLADE }, 413, /batch size/],
    ["/embed", { inputs: many }, 413, /batch size/],
    ["/embed_all", { inputs: "a" }, 422, /one vector for a text/],
    ["/tokenize", { inputs: many }, 413, /batch size/],
    ["/tokenize", { inputs: [] }, 422, /must not be empty/],
    ["/tokenize", { inputs: ["a", 1] }, 422, /^inputs must be a string/],
    ["/tokenize", { inputs: "a", prompt_name: "no" }, 422, /prompt_name this model has none/],
    ["/tokenize", { inputs: "a", model: "sentiment" }, 422, "model sentiment has no tokenizer"],
    ["/tokenize", { inputs: "a", model: "nobody" }, 404, /no model/],
    ["/decode", { ids: [[1], 2] }, 422, "ids[1] must be an array of token ids"],
    ["/decode", { ids: [1, -1] }, 422, "ids[0][1] must be a whole number from 0"],
    ["/decode", { ids: [[1.5]] }, 422, "ids[0][0] must be a whole number from 0"],
    ["/decode", { ids: many.map(() => [1]) }, 413, /batch size/],
    ["/predict", { inputs: ["a", "b", "c"] }, 422, "inputs must be an array of one or two strings"],
    ["/predict", { inputs: "a", raw_scores: true }, 422, /^raw_scores must be false/],
    ["/similarity", { inputs: { source_sentence: "a", sentences: [] } }, 422, /must not be empty/],
    [
      "/embed",
      { inputs: "a", model: FORMS, dimensions: 9 },
      422,
      /^dimensions must be one of 8, 20/,
    ],
    ["/v2/embed", { model: "search", texts: [1] }, 422, "texts[0] must be a string"],
    ["/v2/embed", { model: "search", texts: [] }, 422, /^texts must not be empty/],
    ["/v2/embed", { model: SPLADE, texts: ["a"] }, 422, /^model has the task/],
    [
      "/v2/embed",
      { model: "search", texts: ["a"], embedding_types: ["int8"] },
      422,
      /^embedding_types must not be int8/,
    ],
    ["/v2/embed", { model: FORMS, texts: ["a"], output_dimension: 7 }, 422, /^output_dimension/],
    ["/v2/embed", { model: FORMS, texts: [long], truncate: "NONE" }, 422, /at most 48 tokens/],
    ["/v1/rerank", { query: QUERY, documents: ["a", 5] }, 422, "documents[1] must be a string"],
    ["/v1/rerank", { query: QUERY, documents: ["a"], top_n: 0 }, 422, /top_n/],
    ["/v2/rerank", { query: QUERY, documents: [] }, 422, /^documents must be an array/],
    [
      "/v2/rerank",
      { query: QUERY, documents: ["a"], max_tokens_per_doc: 4 },
      422,
      /^max_tokens_per_doc must be at least/,
    ],
    ["/v2/rerank", { query: QUERY, documents: ["a"], model: "nobody" }, 404, /no model/],
  ])("%s refuses %.60j with %i", async (path, body, status, message) => {
    const { error_type: type, ...answer } = await ask<Record<string, string>>(path, body, status);
    const shapes: Record<string, string> = {
      "/v1/rerank": "detail",
      "/v2/rerank": "message",
      "/v2/embed": "message",
    };
    const text = answer[shapes[path] ?? "error"] ?? "";
    if (typeof message === "string") expect(text).toBe(message);
    else expect(text).toMatch(message);
    expect(type).toBe(path in shapes ? undefined : "Validation");
  });
}
