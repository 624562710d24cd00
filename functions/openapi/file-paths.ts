import { answers, object, pathsOf } from "./operation.ts";

const string = { type: "string" };
const time = { type: "integer", description: "Seconds since 1970." };

/** The schemas of OpenAI's files, for `components`. */
export const FILE_SCHEMAS = {
  OpenAIFile: object({
    id: string,
    object: { const: "file" },
    bytes: { type: "integer", minimum: 0 },
    created_at: time,
    expires_at: time,
    filename: string,
    purpose: { enum: ["batch", "batch_output"] },
    status: { const: "processed" },
  }),
};

const ERROR = { schema: "OpenAIError", mediaType: "application/json" };

/** A page of a list, as OpenAI's clients go through it. */
export const pageOf = (items: object) =>
  object({
    object: { const: "list" },
    data: { type: "array", items },
    first_id: { type: ["string", "null"] },
    last_id: { type: ["string", "null"] },
    has_more: { type: "boolean" },
  });

export const query = (name: string, description: string, schema: object = string) => ({
  name,
  in: "query",
  description,
  schema,
});

/** Which part of a list is wanted. */
export const PAGE = [
  query("after", "The id behind which the page begins."),
  query("limit", "A page has at most 100.", { type: "integer", minimum: 1, maximum: 10_000 }),
  query("order", "By their times.", { enum: ["asc", "desc"] }),
];

const ID = { name: "id", in: "path", required: true, schema: string };

/** OpenAI's files, for its batches. */
export function filePaths() {
  const shared = { tag: "OpenAI", error: ERROR };
  const file = answers("OpenAIFile");
  return pathsOf({
    "post /v1/files": {
      ...shared,
      summary: "Stores a file of requests, for a batch",
      body: {
        "multipart/form-data": {
          schema: {
            type: "object",
            required: ["file", "purpose"],
            properties: {
              file: { ...string, format: "binary", description: "JSONL." },
              purpose: { const: "batch" },
              "expires_after[anchor]": { const: "created_at" },
              "expires_after[seconds]": { type: "integer", minimum: 60 },
            },
          },
        },
      },
      answer: file,
    },
    "get /v1/files": {
      ...shared,
      summary: "Your files",
      parameters: [...PAGE, query("purpose", "Only those for it.")],
      answer: answers(pageOf({ $ref: "#/components/schemas/OpenAIFile" })),
    },
    "get /v1/files/{id}": { ...shared, summary: "A file of yours", parameters: [ID], answer: file },
    "get /v1/files/{id}/content": {
      ...shared,
      summary: "Its lines",
      parameters: [ID],
      answer: {
        description: "The lines.",
        content: { "application/jsonl": { schema: string } },
      },
    },
    "delete /v1/files/{id}": {
      ...shared,
      summary: "Removes the file",
      parameters: [ID],
      answer: answers(object({ id: string, object: { const: "file" }, deleted: { const: true } })),
    },
  });
}
