import type { S3ServiceException } from "@aws-sdk/client-s3";
import { NearcastError } from "../functions/errors.ts";
import { plainReason } from "../functions/plain-reason.ts";
import { knownReason } from "../functions/platform/onnx/load-failure.ts";
import { oneLine } from "./one-line.ts";

/** A batch is done, and some of its rows have no answer. The command's exit code says so. */
export class RowsWithoutAnswer extends Error {}

/** The error's text for the person at the terminal, with what to do if that is known. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const status = statusOf(error);
  const known = KNOWN[error.name] ?? KNOWN[codeOf(error)] ?? KNOWN[status ?? ""];
  if (known) return `${known} (${firstLine(error.message)})`;
  if (status !== undefined)
    return `The store answered with status ${status}: ${firstLine(error.message)}`;
  const { cause } = error;
  if (error instanceof NearcastError && cause !== undefined)
    return `${error.message} ${describeFailure(cause)}`;
  if (error.message.includes("✖ ")) return oneLine(error.message);
  const reason = knownReason(error.message);
  return reason === undefined
    ? plainReason(error.message || error.name)
    : `${reason.charAt(0).toUpperCase()}${reason.slice(1)}`;
}

/** Errors of the AWS SDK by name, or by status if the answer had no body. Errors of Node by code. */
const KNOWN: Record<string, string> = {
  CredentialsProviderError:
    "There are no credentials for the store. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE.",
  NoSuchBucket: "The bucket does not exist. Create it first, or correct its name.",
  AccessDenied: "The store refuses these credentials.",
  403: "The store refuses these credentials.",
  InvalidAccessKeyId: "The store does not know this access key.",
  SignatureDoesNotMatch: "The secret access key is wrong.",
  ECONNREFUSED: "Nothing answers at the store's address.",
  ENOTFOUND: "The store's host name is not known.",
  EACCES: "The file system refuses access.",
  ENOSPC: "The disk is full.",
  ERR_FS_FILE_TOO_LARGE:
    "The file is larger than can be read at once. Keep the weights in files of their own: onnx.save_model(model, path, save_as_external_data=True, all_tensors_to_one_file=False).",
};

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}

function statusOf(error: Error): number | undefined {
  return (error as Partial<S3ServiceException>).$metadata?.httpStatusCode;
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}
