import type { Context } from "hono";
import { invalidInput, NearcastError } from "../errors.ts";
import { callOf, type AppEnv } from "../http/exchange.ts";
import { identify } from "../http/identify.ts";
import type { Resolved } from "../model/registry.ts";
import type { Service } from "../service.ts";
import type { LongTexts } from "../tasks/define.ts";
import { checkTask, createTaskModel } from "./task-model.ts";

export const RANKING_TASKS = ["text-ranking"];

/** What a dialect for ranking asks for. */
export interface RankingRequest {
  /** The model's name. When absent, the only model that ranks. */
  model: string | null | undefined;
  query: unknown;
  texts: readonly unknown[];
  /** What the dialect calls the texts, for error messages. */
  member: string;
  parameters: { top_k?: number; return_text?: boolean; raw_scores?: boolean };
  longTexts: LongTexts;
  /** Checks the version before the texts are read. */
  check?: (version: Resolved) => void;
}

/** A text's place in the request, and how well it answers the query. */
interface Ranked {
  index: number;
  score: number;
  text?: string;
}

/** Makes what the dialects for ranking share. Sets the headers that say which model answered. */
export function createRanking(service: Service) {
  const { resolve, predict } = service;
  const findModel = createTaskModel(service);

  return async function rank(c: Context<AppEnv>, request: RankingRequest) {
    const { query, texts, member, parameters, longTexts } = request;
    const { caller } = c.get("exchange");
    const model = request.model ?? (await findModel(caller, "predict", RANKING_TASKS));
    const call = { ...callOf(c), model };
    const resolved = await resolve(call);
    const { manifest } = resolved;
    checkTask(manifest, RANKING_TASKS);
    request.check?.(resolved);
    const inputs = { query, texts };
    const { outputs, tokens, answerBytes, record } = await predict({
      ...call,
      resolved,
      inputs,
      parameters,
      longTexts,
    }).catch((error: unknown) => {
      throw renamed(error, member);
    });
    identify(c, manifest, record);
    return { manifest, ranked: outputs as Ranked[], tokens: tokens ?? 0, answerBytes };
  };
}

/** An error with the names of the dialect instead of those of the task. */
function renamed(error: unknown, member: string): unknown {
  if (!(error instanceof NearcastError) || !error.issues) return error;
  return invalidInput(
    error.issues.map(({ path, message }) => ({
      path: path.replace(/^inputs\.texts/, member).replace(/^inputs\.|^parameters\./, ""),
      message,
    })),
  );
}
