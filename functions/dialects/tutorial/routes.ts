import { Hono, type Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import * as z from "zod";
import { NearcastError } from "../../errors.ts";
import { answer } from "../../http/answer.ts";
import { callOf, predictorOf, type AppEnv } from "../../http/exchange.ts";
import { identify } from "../../http/identify.ts";
import { jsonRequestOf } from "../../http/jobs.ts";
import { readJson } from "../../http/read-json.ts";
import { answerPrediction } from "../../http/write-answer.ts";
import { isFinal } from "../../jobs/job.ts";
import type { Jobs } from "../../jobs/jobs.ts";
import type { Resolved } from "../../model/registry.ts";
import type { Service } from "../../service.ts";
import { checkTask, createTaskModel } from "../task-model.ts";
import { tutorialAnswer } from "./answers.ts";
import { BATCH_PATH, readRow, readRows } from "./requests.ts";

const TASKS = ["tabular-classification", "tabular-regression"];
const RESULT_PATH = "/batch-result";
const JSON_TYPE = { "Content-Type": "application/json" };
const POLL_SECONDS = 1;

/** Answers rows of features by the deployment's model of tables. */
function createAsk(service: Service) {
  const { predict, resolve } = service;
  const findModel = createTaskModel(service);

  async function found(c: Context<AppEnv>): Promise<Resolved> {
    const named = c.req.query("model");
    const model = named ?? (await findModel(c.get("exchange").caller, "predict", TASKS));
    const resolved = await resolve({ ...callOf(c), model });
    checkTask(resolved.manifest, TASKS);
    return resolved;
  }

  /** `inputs` is one row, or an array of rows. */
  async function ask(c: Context<AppEnv>, inputs: unknown, member: string) {
    const resolved = await found(c);
    const { name: model } = resolved.manifest;
    const made = await predict({ ...callOf(c), model, resolved, inputs, member });
    const { manifest, outputs, record, answerBytes } = made;
    identify(c, manifest, record);
    const answers = [outputs].flat().map((output) => tutorialAnswer(output, manifest));
    return { answers, bytes: answerBytes };
  }
  return { ask, found };
}

/** Answers `POST /predict` for bodies with features. */
export function createFeaturePredict(service: Service) {
  const { ask } = createAsk(service);
  return async (c: Context<AppEnv>, body: unknown): Promise<Response> => {
    const { answers, bytes } = await ask(c, readRow(body, "body"), "features");
    return answerPrediction(c, answers[0], { bytes });
  };
}

/** Several rows, at once or as a task that is polled. */
export function tutorialRoutes(service: Service) {
  const { platform, jobs } = service;
  const { batch } = platform.config.limits;
  const { ask, found } = createAsk(service);
  const routes = new Hono<AppEnv>().post(BATCH_PATH, async (c) => {
    const rows = readRows(await readJson(c, z.unknown(), platform), batch);
    const { answers, bytes } = await ask(c, rows, "body");
    return answerPrediction(c, { predictions: answers }, { bytes });
  });
  if (!jobs) return routes;
  return routes
    .post("/batch-predict", async (c) => {
      const rows = await readJson(c, z.unknown(), platform);
      readRows(rows, batch);
      const version = await found(c);
      const { caller } = c.get("exchange");
      const id = crypto.randomUUID();
      const path = `${BATCH_PATH}?model=${encodeURIComponent(version.manifest.name)}`;
      await jobs.make({
        caller,
        id,
        request: { ...jsonRequestOf(c), path },
        body: new TextEncoder().encode(JSON.stringify(rows)),
        version,
      });
      return answerPending(c, id, 202);
    })
    .get(`${RESULT_PATH}/:task_id`, (c) => answerTask(c, jobs, c.req.param("task_id")));
}

function answerPending(c: Context<AppEnv>, id: string, status: 200 | 202): Response {
  const { headers } = c.get("exchange");
  headers["Retry-After"] = String(POLL_SECONDS);
  return answer(c, JSON.stringify({ task_id: id, status: "pending" }), JSON_TYPE, status);
}

/** Answers what the task's own request would have answered, once it has ended. */
async function answerTask(c: Context<AppEnv>, jobs: Jobs, id: string): Promise<Response> {
  const caller = predictorOf(c);
  const job = await jobs.read(caller, id);
  if (!job.request.path.startsWith(BATCH_PATH))
    throw new NearcastError("not_found", `You have no task ${id}, or its time is over.`);
  if (!isFinal(job)) return answerPending(c, id, 200);
  const { body, status } = await jobs.answer(caller, id);
  const made = JSON.parse(new TextDecoder().decode(body)) as {
    predictions?: unknown;
    error?: string;
  };
  const { predictions, error } = made;
  const shown = {
    task_id: id,
    ...(predictions ? { status: "completed", predictions } : { status: "failed", error }),
  };
  return answer(c, JSON.stringify(shown), JSON_TYPE, status as ContentfulStatusCode);
}
