import { Option, type Command } from "commander";

/** How to ask a deployment. */
export interface DeploymentFlags {
  url: string;
  key?: string;
  /** The `DEPLOYMENT_ID` that its answers must have, or must not have any more. Any may answer when absent. */
  answeredBy?: { is: string } | { isNot: string };
}

/** `--url` and `--key`. */
export function withDeploymentOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--url <url>", "the deployment").env("NEARCAST_URL").makeOptionMandatory(),
    )
    .addOption(new Option("--key <key>", "an API key for it").env("NEARCAST_KEY"));
}

const TIMEOUT_MS = 60_000;

/** The deployment's JSON. Throws an Error with what it says instead, or why it could not be asked. */
export async function askDeployment(
  flags: DeploymentFlags,
  path: string,
  body?: unknown,
): Promise<unknown> {
  const { url, key } = flags;
  const address = `${url.replace(/\/+$/, "")}${path}`;
  const answer = await fetch(address, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      ...(key && { Authorization: `Bearer ${key}` }),
      ...(body !== undefined && { "Content-Type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((cause: Error) => {
    const { message } = (cause.cause as Error | undefined) ?? cause;
    throw new Error(`${url} cannot be reached: ${message}`, { cause });
  });
  const text = await answer.text();
  checkDeployment(flags, answer);
  if (answer.ok)
    try {
      return JSON.parse(text) as unknown;
    } catch (cause) {
      throw new Error(`${url} is not a service of Nearcast: ${path} is no JSON.`, { cause });
    }
  throw new Error(`${address} answered ${answer.status}: ${detailOf(text)}`);
}

/** Throws if another deployment than the one that is meant has answered. */
function checkDeployment({ url, answeredBy }: DeploymentFlags, { ok, headers }: Response): void {
  const id = headers.get("X-Deployment-Id");
  // An error without a name may be a proxy's, and says more.
  if (!answeredBy || (!ok && id === null)) return;
  if ("isNot" in answeredBy) {
    if (id === answeredBy.isNot) throw new Error(`${url} is still answered by ${id}.`);
  } else if (id !== answeredBy.is)
    throw new Error(
      `${url} is answered by ${id ?? "a deployment that has no DEPLOYMENT_ID"}, and not by ${answeredBy.is}.`,
    );
}

function detailOf(text: string): string {
  try {
    return (JSON.parse(text) as { detail?: string }).detail ?? text;
  } catch {
    return text.slice(0, 200);
  }
}
