import { Hono } from "hono";
import { NearcastError } from "../errors.ts";
import { servedFiles } from "../model/manifest.ts";
import type { Service } from "../service.ts";
import { matches } from "./entity-tag.ts";
import type { AppEnv } from "./exchange.ts";
import { answerFile } from "./range.ts";

/**
 * `GET /v1/models/{model}/versions/{version}/files/{file}`: what a page needs to run a version itself, where its manifest
 * has `browser`. The client checks the digest, so that the service can send the file while it reads it.
 */
export function modelFileRoutes({
  platform,
  registryFor,
}: Pick<Service, "platform" | "registryFor">) {
  const { auth, limits } = platform.config;
  const wholeBytes = platform.answersWhole ? limits.answerBytes : undefined;
  // A cache that several callers share must not give files to those who have no key.
  const cached = `${auth.mode === "open" ? "public" : "private"}, max-age=31536000, immutable`;

  return new Hono<AppEnv>().get("/v1/models/:model/versions/:version/files/:file", async (c) => {
    const { model, version, file: name } = c.req.param();
    const { caller, headers: own } = c.get("exchange");
    // Who has the weights can predict without end.
    const registry = registryFor(caller, "predict");
    const { manifest } = await registry.resolve(model, { version });
    if (!manifest.browser)
      throw new NearcastError(
        "not_found",
        `The files of ${model} version ${version} are not for clients: its manifest does not have "browser": true.`,
      );
    const file = servedFiles(manifest).find(({ file }) => file === name);
    if (!file)
      throw new NearcastError("not_found", `${model} version ${version} has no file of this name.`);
    const headers = { ETag: `"${file.sha256}"`, "Cache-Control": cached };
    if (matches(c.req.header("if-none-match"), headers.ETag))
      return c.newResponse(null, 304, { ...own, ...headers });
    const source = await registry.open(manifest, file);
    return answerFile(c, source, { type: "application/octet-stream", wholeBytes, headers });
  });
}
