import { Hono, type Context } from "hono";
import type { Caller, Scope } from "../../auth/caller.ts";
import type { CallOptions } from "../../call.ts";
import { invalidInput, NearcastError } from "../../errors.ts";
import { answerJson } from "../../http/answer.ts";
import { callOf, type AppEnv } from "../../http/exchange.ts";
import { identify } from "../../http/identify.ts";
import { readJson } from "../../http/read-json.ts";
import { answerPrediction } from "../../http/write-answer.ts";
import type { ManifestOf } from "../../model/manifest.ts";
import type { Resolved } from "../../model/registry.ts";
import type { Service } from "../../service.ts";
import type { textOptions } from "../../tasks/text/options.ts";
import { createRanking, RANKING_TASKS } from "../ranking.ts";
import { createTaskModel, SPARSE_VECTORS } from "../task-model.ts";
import { cosinesToFirst, readSimilarity } from "../similarity.ts";
import { checkForm, checkNormalize, isUnitLength, shortened, toUnit } from "../vectors.ts";
import { checkSize, createAsk, type Asked } from "./ask.ts";
import { infoOf } from "./info.ts";
import { LABEL_TASKS } from "./predict.ts";
import {
  decodeRequest,
  embedAllRequest,
  embedRequest,
  longTextsOf,
  rerankRequest,
  similarityRequest,
  tokenizeRequest,
} from "./requests.ts";

const VECTOR_TASKS = ["feature-extraction"];
const SIMILARITY_TASKS = [...VECTOR_TASKS, "sentence-similarity"];
const SPARSE_TASKS = [SPARSE_VECTORS];

/** The routes of Hugging Face's text-embeddings-inference. */
export function teiRoutes(service: Service) {
  const { platform, resolve, registryFor } = service;
  const rank = createRanking(service);
  const findModel = createTaskModel(service);
  const ask = createAsk(service);

  /** Answers with the model's own vectors: one for each token, or sparse ones. */
  async function vectors(c: Context<AppEnv>, asked: Pick<Asked, "tasks" | "check">) {
    const body = await readJson(c, embedAllRequest, platform);
    const { model, inputs, prompt_name: prompt } = body;
    const { outputs, answerBytes } = await ask(c, {
      ...asked,
      model,
      inputs: [inputs].flat(),
      longTexts: longTextsOf(body),
      parameters: prompt ? { prompt_name: prompt } : {},
    });
    return answerPrediction(c, outputs, { bytes: answerBytes });
  }

  /** The model behind /embed, or else that behind /rerank, /predict or /embed_sparse. */
  async function anyModel(caller: Caller, scope: Scope): Promise<string> {
    let refused: unknown;
    for (const tasks of [VECTOR_TASKS, RANKING_TASKS, LABEL_TASKS, SPARSE_TASKS])
      try {
        return await findModel(caller, scope, tasks);
      } catch (error) {
        if (!(error instanceof NearcastError) || error.code !== "unknown_model") throw error;
        refused ??= error;
      }
    throw refused;
  }

  /** Answers with what the model's tokenizer makes of the rows. */
  async function tokenized(
    c: Context<AppEnv>,
    asked: { model: string | null | undefined; rows: readonly unknown[] },
    work: (call: CallOptions) => ReturnType<typeof service.tokenize | typeof service.detokenize>,
  ) {
    const model = asked.model ?? (await anyModel(c.get("exchange").caller, "predict"));
    const call = { ...callOf(c), model };
    const resolved = await resolve(call);
    checkSize(asked.rows, resolved.limits.batch);
    const { manifest, made, answerBytes, record } = await work({ ...call, resolved });
    identify(c, manifest, record);
    return answerPrediction(c, made, { bytes: answerBytes });
  }

  return new Hono<AppEnv>()
    .get("/info", async (c) => {
      const { caller } = c.get("exchange");
      const model = c.req.query("model") ?? (await anyModel(caller, "read"));
      const version = await registryFor(caller, "read").resolve(model);
      identify(c, version.manifest);
      return answerJson(c, infoOf(version, platform.config));
    })
    .post("/rerank", async (c) => {
      const body = await readJson(c, rerankRequest, platform);
      const { model, query, texts, raw_scores: raw, return_text: withText } = body;
      const { ranked, answerBytes } = await rank(c, {
        model,
        query,
        texts,
        member: "texts",
        parameters: { raw_scores: raw ?? false, return_text: withText ?? false },
        longTexts: longTextsOf(body),
        check: ({ limits }) => checkSize(texts, limits.batch),
      });
      return answerPrediction(c, ranked, { bytes: answerBytes });
    })
    .post("/embed", async (c) => {
      const body = await readJson(c, embedRequest, platform);
      const { model, inputs, normalize, dimensions, prompt_name: prompt } = body;
      const { manifest, outputs, answerBytes } = await ask(c, {
        model,
        tasks: VECTOR_TASKS,
        inputs: [inputs].flat(),
        longTexts: longTextsOf(body),
        parameters: prompt ? { prompt_name: prompt } : {},
        check(version) {
          checkNormalize(version, normalize);
          checkForm(version, { dimensions });
        },
      });
      const isUnit = isUnitLength(manifest) || normalize === false;
      const vectors = (outputs as unknown[]).map((vector) => {
        const numbers = shortened(vector, dimensions);
        return isUnit ? numbers : toUnit(numbers);
      });
      return answerPrediction(c, vectors, { bytes: answerBytes });
    })
    .post("/embed_all", (c) => vectors(c, { tasks: VECTOR_TASKS, check: checkTokens }))
    .post("/embed_sparse", (c) => vectors(c, { tasks: SPARSE_TASKS }))
    .post("/tokenize", async (c) => {
      const body = await readJson(c, tokenizeRequest, platform);
      const texts = [body.inputs].flat();
      return tokenized(c, { model: body.model, rows: texts }, (call) =>
        service.tokenize({
          ...call,
          texts,
          member: "inputs",
          special: body.add_special_tokens ?? true,
          promptName: body.prompt_name ?? undefined,
        }),
      );
    })
    .post("/decode", async (c) => {
      const body = await readJson(c, decodeRequest, platform);
      const ids = Array.isArray(body.ids[0]) ? body.ids : [body.ids];
      return tokenized(c, { model: body.model, rows: ids }, (call) =>
        service.detokenize({
          ...call,
          ids,
          member: "ids",
          skipsSpecial: body.skip_special_tokens ?? true,
        }),
      );
    })
    .post("/similarity", async (c) => {
      const body = await readJson(c, similarityRequest, platform);
      const { model, inputs, parameters } = body;
      const { texts } = readSimilarity(inputs);
      const { manifest, outputs, answerBytes } = await ask(c, {
        model,
        tasks: SIMILARITY_TASKS,
        inputs: texts,
        inputsOf: ({ task }) => (task === "sentence-similarity" ? inputs : texts),
        longTexts: longTextsOf(parameters ?? {}),
        parameters: parameters?.prompt_name ? { prompt_name: parameters.prompt_name } : {},
      });
      if (manifest.task === "sentence-similarity")
        return answerPrediction(c, outputs, { bytes: answerBytes });
      const cosines = cosinesToFirst(outputs as unknown[]);
      return answerPrediction(c, cosines, { bytes: answerBytes });
    });
}

/** Throws `invalid_input` for a model that gives one vector for a text. */
function checkTokens({ manifest }: Resolved): void {
  if ((manifest as ManifestOf<typeof textOptions>).text?.pooling !== "none")
    throw invalidInput([
      { path: "model", message: 'gives one vector for a text: /embed_all needs "pooling": "none"' },
    ]);
}
