import { Hono } from "hono";
import * as z from "zod";
import type { Batches } from "../../batches/batches.ts";
import { checkBody, NearcastError } from "../../errors.ts";
import type { LinesOfBatch } from "../../files/file.ts";
import { isUploaded, type Files, type WholeFile } from "../../files/files.ts";
import { answerJson } from "../../http/answer.ts";
import { predictorOf, type AppEnv } from "../../http/exchange.ts";
import { mediaTypeOf } from "../../http/media-type.ts";
import { answerFile, answerForward } from "../../http/range.ts";
import { bytesOf } from "../../http/upload.ts";
import type { Service } from "../../service.ts";
import { readFormStream } from "../../wire/form-stream.ts";
import { readListQuery } from "./list-query.ts";
import { seconds } from "./seconds.ts";

/** The fields of an upload, but for the file. */
const fieldsOf = (longestSeconds: number) =>
  z.strictObject({
    purpose: z.literal("batch"),
    "expires_after[anchor]": z.literal("created_at").optional(),
    "expires_after[seconds]": z.coerce.number().int().min(60).max(longestSeconds).optional(),
  });

/** OpenAI's files, for its batches: uploads, and what batches have answered. */
export function filesRoutes(
  { platform }: Pick<Service, "platform">,
  { files, batches }: { files: Files; batches: Batches },
) {
  const { jobResultTtlMs, limits } = platform.config;
  const fields = fieldsOf(jobResultTtlMs / 1000);
  const wholeBytes = platform.answersWhole ? limits.answerBytes : undefined;
  const jsonl = { type: "application/jsonl", wholeBytes };

  return new Hono<AppEnv>()
    .post("/v1/files", async (c) => {
      const caller = predictorOf(c);
      const { type } = mediaTypeOf(c.req);
      if (type !== "multipart/form-data" || c.req.header("content-encoding") !== undefined)
        throw new NearcastError(
          "unsupported_media_type",
          "The body must be multipart/form-data, and not compressed.",
        );
      const contentType = c.req.header("content-type") ?? "";
      const form = readFormStream(bytesOf(c.req), { contentType, name: "file" });
      const made = await files.make(caller, {
        bytes: form.bytes,
        described() {
          const data = checkBody(fields, Object.fromEntries(form.fields));
          const after = data["expires_after[seconds]"];
          return {
            filename: form.filename() ?? "file.jsonl",
            expiresAfterMs: after && after * 1000,
          };
        },
      });
      return answerJson(c, shownFile(made));
    })
    .get("/v1/files", async (c) => {
      const { purpose, ...page } = readListQuery(c);
      const { items, hasMore } = await files.list(
        predictorOf(c),
        page,
        (file) => purpose === undefined || purposeOf(file) === purpose,
      );
      return answerJson(c, listed(items.map(shownFile), hasMore));
    })
    .get("/v1/files/:id", async (c) =>
      answerJson(c, shownFile(await files.read(predictorOf(c), c.req.param("id")))),
    )
    .get("/v1/files/:id/content", async (c) => {
      const caller = predictorOf(c);
      const file = await files.read(caller, c.req.param("id"));
      if (isUploaded(file)) return answerFile(c, await files.open(caller, file), jsonl);
      const lines = await batches.linesOf(file.content as LinesOfBatch);
      return answerForward(c, lines, { ...jsonl, size: file.size });
    })
    .delete("/v1/files/:id", async (c) => {
      const file = await files.remove(predictorOf(c), c.req.param("id"));
      if (!isUploaded(file)) await batches.removeLines(file.content as LinesOfBatch);
      const { id } = file;
      return answerJson(c, { id, object: "file", deleted: true });
    });
}

/** A page of a list, as OpenAI's clients go through it. */
export function listed<Item extends { id: string }>(data: Item[], hasMore: boolean) {
  return {
    object: "list",
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: hasMore,
  };
}

/** The file as OpenAI's clients see it. */
function shownFile(file: WholeFile) {
  const { id, size, createdAt, expiresAt, filename } = file;
  return {
    id,
    object: "file",
    bytes: size,
    created_at: seconds(createdAt),
    expires_at: seconds(expiresAt),
    filename,
    purpose: purposeOf(file),
    status: "processed",
  };
}

function purposeOf(file: WholeFile): string {
  return isUploaded(file) ? "batch" : "batch_output";
}
