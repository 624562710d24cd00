import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { addExport } from "../hugging-face/export-folder.ts";
import { post } from "./platforms.ts";

const MODELS = [
  ["vectors-bert"],
  ["rank-bert", "text-ranking"],
  ["similar-bert", "sentence-similarity"],
  ["splade-bert"],
  ["left-truncation"],
] as const;

/** What asks a dialect to cut a text on a side, or not to say on which. */
interface Cut {
  path: string;
  body: (text: string, direction: Direction | undefined) => object;
}
type Direction = "left" | "right";

const beside = (direction: Direction | undefined) => ({
  truncate: true,
  truncation_direction: direction,
});
const upper = { left: "Left", right: "Right" } as const;
const cohere = { left: "START", right: "END" } as const;

const CUTS: Cut[] = [
  { path: "/embed", body: (inputs, side) => ({ inputs, ...beside(side) }) },
  { path: "/embed_sparse", body: (inputs, side) => ({ inputs, ...beside(side) }) },
  { path: "/predict", body: (inputs, side) => ({ inputs, ...beside(side) }) },
  {
    path: "/rerank",
    body: (text, side) => ({ query: "bread", texts: [text], ...beside(side), raw_scores: true }),
  },
  {
    path: "/similarity",
    body: (text, side) => ({
      model: "similar-bert",
      inputs: { source_sentence: "great phone", sentences: [text] },
      parameters: beside(side),
    }),
  },
  {
    path: "/models/vectors-bert",
    body: (inputs, side) => ({ inputs, truncation_direction: side && upper[side] }),
  },
  {
    path: "/models/similar-bert",
    body: (text, side) => ({
      inputs: { source_sentence: "great phone", sentences: [text] },
      parameters: beside(side),
    }),
  },
  {
    path: "/v2/embed",
    body: (text, side) => ({
      model: "vectors-bert",
      texts: [text],
      truncate: side && cohere[side],
    }),
  },
];

const start = "great ".repeat(60);
const end = "phone ".repeat(60);

describe.each(["left", "right"] as const)("a tokenizer that cuts on the %s", (own) => {
  let folder: string;
  let served: { fetch: (path: string, init?: RequestInit) => Promise<Response> };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "nearcast-truncation-"));
    for (const [name, task] of MODELS)
      await addExport(folder, name, task, { "tokenizer_config.json": { truncation_side: own } });
    const env = { STORE: folder, ACCESS_LOG: "false", AUTH: "none" };
    const app = createApp(createService(createNodePlatform(env)));
    served = { fetch: async (path, init) => app.request(path, init) };
  });
  afterAll(() => rm(folder, { recursive: true }));

  test.each(CUTS)("cuts where $path asks", async ({ path, body }) => {
    const ask = async (text: string, side?: Direction) => {
      const answer = await post(served, path, body(text, side));
      expect([answer.status, answer.body]).toEqual([200, expect.anything()]);
      const { id: _, texts: _texts, meta: _meta, ...made } = answer.body;
      return made;
    };
    const left = await ask(start + end, "left");
    const right = await ask(start + end, "right");
    expect(left).not.toEqual(right);
    expect(left).toEqual(await ask(end, "left"));
    expect(right).toEqual(await ask(start, "right"));
    expect(await ask(start + end)).toEqual(own === "left" ? left : right);
  });

  test("refuses a long text, whatever the direction, where it must not be cut", async () => {
    for (const side of ["left", "right"]) {
      const asked = { inputs: start + end, truncate: false, truncation_direction: side };
      for (const path of ["/embed", "/models/vectors-bert"])
        expect(await post(served, path, asked)).toMatchObject({ status: 422 });
    }
  });

  test.each(["/embed", "/models/vectors-bert"])("%s refuses another direction", async (path) => {
    const asked = { inputs: "great", truncation_direction: "middle" };
    const { status, body } = await post(served, path, asked);
    expect(status).toBe(422);
    expect(body["error"]).toContain("truncation_direction");
  });
});
