import { Hono } from "hono";
import * as z from "zod";
import { invalidInput } from "../../errors.ts";
import { callOf, type AppEnv } from "../../http/exchange.ts";
import { identify } from "../../http/identify.ts";
import { readJson } from "../../http/read-json.ts";
import { answerPrediction } from "../../http/write-answer.ts";
import type { Manifest, ManifestOf } from "../../model/manifest.ts";
import type { Service } from "../../service.ts";
import type { textOptions } from "../../tasks/text/options.ts";
import { listOfAny } from "../lists.ts";
import { checkTask, createTaskModel } from "../task-model.ts";
import { BASE64_SCALE, checkForm, inPrecision, shortened, toBase64 } from "../vectors.ts";

const TASKS = ["feature-extraction"];
export const NUMBER_KINDS = ["float", "int8", "uint8", "binary", "ubinary"] as const;
type Kind = (typeof NUMBER_KINDS)[number] | "base64";

/** The prompts of each kind of input, as `encode_query` and `encode_document` of sentence-transformers choose them. */
const PROMPTS = {
  search_query: ["query"],
  search_document: ["document", "passage", "corpus"],
  classification: ["classification"],
  clustering: ["clustering"],
} as const;

const TRUNCATE = { NONE: "refuse", START: "cut-left", END: "cut-right" } as const;

export const embedRequest = z.strictObject({
  model: z.string().nullish().describe("The only released model that makes vectors, when absent."),
  texts: listOfAny({ type: "string" }),
  input_type: z
    .enum(["search_query", "search_document", "classification", "clustering"])
    .nullish()
    .describe("Chooses the model's prompt of that name: query, document, passage, …"),
  embedding_types: z
    .array(z.enum([...NUMBER_KINDS, "base64"]))
    .min(1)
    .max(12)
    .nullish()
    .describe("Kinds of numbers: float when absent."),
  output_dimension: z.number().int().positive().nullish(),
  truncate: z
    .enum(["NONE", "START", "END"])
    .nullish()
    .describe("Which part of long texts is cut off: what the model's tokenizer cuts, when absent."),
  priority: z.number().int().nullish().describe("Ignored: it changes no answer."),
});

/** Cohere's `POST /v2/embed`, for texts. */
export function embedRoutes(service: Service) {
  const { platform, resolve, predict } = service;
  const findModel = createTaskModel(service);
  return new Hono<AppEnv>().post("/v2/embed", async (c) => {
    const body = await readJson(c, embedRequest, platform);
    const { texts, output_dimension: dimensions } = body;
    const kinds: Kind[] = [...new Set<Kind>(body.embedding_types ?? ["float"])];
    const model = body.model ?? (await findModel(c.get("exchange").caller, "predict", TASKS));
    const call = { ...callOf(c), model };
    const resolved = await resolve(call);
    const { manifest } = resolved;
    checkTask(manifest, TASKS);
    for (const kind of kinds)
      checkForm(
        resolved,
        { dimensions, precision: kind === "float" || kind === "base64" ? undefined : kind },
        { dimensions: "output_dimension", precision: "embedding_types" },
      );
    checkTexts(texts);
    const {
      outputs,
      tokens = 0,
      answerBytes,
      record,
    } = await predict({
      ...call,
      resolved,
      inputs: texts,
      member: "texts",
      parameters: promptOf(manifest, body.input_type),
      longTexts: body.truncate ? TRUNCATE[body.truncate] : "cut",
      answerScale: kinds.reduce((sum, kind) => sum + SCALES[kind], 0),
    });
    const vectors = (outputs as unknown[]).map((vector) => shortened(vector, dimensions));
    identify(c, manifest, record);
    const made = kinds.map((kind) => [
      kind,
      vectors.map((vector) => inKind(vector, kind, manifest)),
    ]);
    const value = {
      id: c.get("exchange").id,
      embeddings: Object.fromEntries(made) as object,
      texts,
      meta: { api_version: { version: "2" }, billed_units: { input_tokens: tokens } },
    };
    return answerPrediction(c, value, { bytes: answerBytes });
  });
}

/** The sizes of vectors, as shares of that of the model's own in JSON. */
const SCALES: Record<Kind, number> = {
  float: 1,
  base64: BASE64_SCALE,
  int8: 0.25,
  uint8: 0.25,
  binary: 0.04,
  ubinary: 0.04,
};

function inKind(vector: number[], kind: Kind, manifest: Manifest) {
  if (kind === "float") return vector;
  return kind === "base64" ? toBase64(vector) : inPrecision(vector, kind, manifest);
}

/** Throws `invalid_input` for what is no text: pairs of texts have no place here. */
function checkTexts(texts: readonly unknown[]): void {
  const wrong = texts.findIndex((text) => typeof text !== "string");
  if (wrong >= 0) throw invalidInput([{ path: `texts[${wrong}]`, message: "must be a string" }]);
}

function promptOf(manifest: Manifest, type: keyof typeof PROMPTS | null | undefined): object {
  const { prompts = {} } = (manifest as ManifestOf<typeof textOptions>).text ?? {};
  const found = type && PROMPTS[type].find((name) => Object.hasOwn(prompts, name));
  return found === undefined || found === null ? {} : { prompt_name: found };
}
