import { Hono, type Context } from "hono";
import type { RouterRoute } from "hono/types";
import * as z from "zod";
import { callOf, type AppEnv } from "../../http/exchange.ts";
import { identify } from "../../http/identify.ts";
import { isJson, mediaTypeOf } from "../../http/media-type.ts";
import { readPredictBody } from "../../http/predict-body.ts";
import { readJson } from "../../http/read-json.ts";
import { answerPrediction } from "../../http/write-answer.ts";
import { answers, json, pathsOf } from "../../openapi/operation.ts";
import type { Service } from "../../service.ts";
import { defineDialect, type Dialect } from "../define.ts";
import { questionOf } from "./alias-question.ts";

/** A path of the deployment's own, and the model that it asks. */
export type Alias = readonly [path: string, model: string];

/** `POST` to each path asks its model, in the words of tutorials' front ends. */
export function aliasDialect(aliases: readonly Alias[]): Dialect {
  return defineDialect({
    name: "aliases",
    paths: aliases.map(([path]) => path),
    routes(service) {
      const answer = createAnswer(service);
      const routes = new Hono<AppEnv>();
      for (const alias of aliases) routes.post(alias[0], (c) => answer(c, alias));
      return routes;
    },
    describe: () => ({
      paths: pathsOf(
        Object.fromEntries(aliases.map(([path, model]) => [`post ${path}`, described(model)])),
      ),
    }),
  });
}

/** Throws an Error for an alias that a route of the app would hide, and for one that is there twice. */
export function checkAliases(aliases: readonly Alias[], routes: readonly RouterRoute[]): void {
  const paths = routes.filter(({ method }) => method !== "ALL").map(({ path }) => path);
  for (const [path] of aliases) {
    // Its own route is one of them.
    const [first, second] = paths.filter((route) => covers(route, path));
    if (second !== undefined || first !== path)
      throw new Error(`ALIASES: ${path} is taken, by ${first === path ? second : first}.`);
  }
}

function covers(route: string, path: string): boolean {
  const [parts, given] = [route.split("/"), path.split("/")];
  return (
    parts.length === given.length &&
    parts.every((part, at) => part.startsWith(":") || part === given[at])
  );
}

function createAnswer({ platform, predict, resolve }: Service) {
  const { config, now } = platform;
  const { bodyBytes: maxBytes, batch } = config.limits;

  return async (c: Context<AppEnv>, [path, model]: Alias): Promise<Response> => {
    const body: unknown = isJson(mediaTypeOf(c.req).type)
      ? await readJson(c, z.unknown(), platform)
      : await readPredictBody(c, { maxBytes, batch, now });
    const call = { ...callOf(c), model };
    const resolved = await resolve(call);
    const { answer, ...question } = questionOf(body, resolved, path);
    const { manifest, outputs, record, answerBytes } = await predict({
      ...call,
      ...question,
      resolved,
    });
    identify(c, manifest, record);
    return answerPrediction(c, answer(outputs), { bytes: answerBytes });
  };
}

function described(model: string) {
  return {
    tag: "Aliases",
    summary: `A prediction of ${model}, in the words of tutorials' front ends`,
    body: { ...json({ type: "object" }), "multipart/form-data": { schema: {} } },
    answer: answers({ type: "object" }),
    assigned: true,
  } as const;
}
