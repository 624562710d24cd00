import { expect } from "vitest";
import { NearcastClientError } from "../../client/src/index.ts";

/** The client's error that this call rejects with. */
export async function failure(call: Promise<unknown>): Promise<NearcastClientError> {
  const error = await call.then(
    () => expect.unreachable("it was answered"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(NearcastClientError);
  return error as NearcastClientError;
}
