import { boundResponses } from "./bounded-responses.ts";

/** Longest wait for the parameter, including the SDK's own retries. */
const TIMEOUT_MS = 5000;

/**
 * The decrypted value of a parameter of AWS Systems Manager. Undefined when it does not exist. Secrets Manager's
 * secrets are parameters too: `/aws/reference/secretsmanager/<name>`. The SDK is imported late, so that deployments
 * without such a secret do not pay for it.
 */
export async function readParameter(name: string): Promise<string | undefined> {
  const { GetParameterCommand, ParameterNotFound, SSMClient } = await import("./parameter-sdk.ts");
  const client = boundResponses(new SSMClient());
  try {
    const command = new GetParameterCommand({ Name: name, WithDecryption: true });
    const abortSignal = AbortSignal.timeout(TIMEOUT_MS);
    return (await client.send(command, { abortSignal })).Parameter?.Value;
  } catch (error) {
    if (error instanceof ParameterNotFound) return undefined;
    throw error;
  } finally {
    client.destroy();
  }
}
