import type { S3ServiceException } from "@aws-sdk/client-s3";
import { StoreRefusal } from "../../model/store.ts";

const CREDENTIALS = "it does not accept the credentials";

/** What S3's error codes say of the configuration. */
const REASONS: Record<string, string> = {
  NoSuchBucket: "STORE names a bucket that does not exist",
  InvalidBucketName: "STORE names a bucket that cannot exist",
  AccessDenied: "access to its bucket is denied",
  AllAccessDisabled: "access to its bucket is denied",
  AccountProblem: "access to its bucket is denied",
  InvalidAccessKeyId: CREDENTIALS,
  SignatureDoesNotMatch: CREDENTIALS,
  ExpiredToken: CREDENTIALS,
  InvalidToken: CREDENTIALS,
  TokenRefreshRequired: CREDENTIALS,
  RequestTimeTooSkewed: "the clock here is wrong",
  // The SDK's own error: it sent no request.
  CredentialsProviderError: "there are no credentials for it",
};

const OTHER_REGION = new Set([
  "PermanentRedirect",
  "TemporaryRedirect",
  "AuthorizationHeaderMalformed",
  "IllegalLocationConstraintException",
]);

/** Turns an error that is a refusal of S3 into a {@link StoreRefusal}. Gives other errors back. */
export function asRefusal(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { $metadata, $response } = error as Partial<S3ServiceException>;
  const status = $metadata?.httpStatusCode;
  if (OTHER_REGION.has(error.name) || status === 301) {
    const headers: Record<string, string> = $response?.headers ?? {};
    const region = headers["x-amz-bucket-region"];
    const where = region === undefined ? "" : `, ${region}: set AWS_REGION`;
    return new StoreRefusal(`its bucket is in another region${where}`, error);
  }
  const denied = status === 401 || status === 403 ? REASONS["AccessDenied"] : undefined;
  const reason = REASONS[error.name] ?? denied;
  return reason === undefined ? error : new StoreRefusal(reason, error);
}

/** Whether the bucket is missing. That is a mistake in the configuration, not an absent key. */
export function isMissingBucket(error: unknown): boolean {
  return error instanceof Error && error.name === "NoSuchBucket";
}
