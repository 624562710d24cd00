import { Hono } from "hono";
import * as z from "zod";
import { createTextPredict } from "../dialects/tei/predict.ts";
import { createFeaturePredict } from "../dialects/tutorial/routes.ts";
import type { Service } from "../service.ts";
import type { AppEnv } from "./exchange.ts";
import { readJson } from "./read-json.ts";

/**
 * `POST /predict`, which text-embeddings-inference and the front ends of tutorials share. A body with the member `inputs` is
 * TEI's; any other is a tutorial's.
 */
export function rootPredictRoutes(service: Service): Hono<AppEnv> {
  const [texts, features] = [createTextPredict(service), createFeaturePredict(service)];
  return new Hono<AppEnv>().post("/predict", async (c) => {
    const body = await readJson(c, z.unknown(), service.platform);
    const isTexts = typeof body === "object" && body !== null && "inputs" in body;
    return isTexts ? texts(c, body) : features(c, body);
  });
}
