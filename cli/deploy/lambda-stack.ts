import { askTool, runTool } from "./run-tool.ts";
import type { Deployed } from "./types.ts";

/** What a deployed stack says of itself. Nothing of it before the first deployment. */
export interface Stack {
  bucket: string | undefined;
  url: string | undefined;
}

/** The stack that osls finds with these arguments. Throws when it cannot be asked for. */
export async function stackOf(others: readonly string[]): Promise<Stack> {
  const info = await askTool("osls", ["info", "--verbose", ...others]).catch((error: Error) => {
    if (/Stack with id \S+ does not exist/.test(error.message)) return "";
    throw error;
  });
  const found = (name: string) => new RegExp(`^\\s*${name}: (\\S+)`, "m").exec(info)?.[1];
  // With a domain or a firewall the function does not answer at its HTTP API's own address.
  return { bucket: found("ModelsBucket"), url: found("ServiceUrl") ?? found("HttpApiUrl") };
}

/** Deploys what was packaged. */
export async function deployStack(others: readonly string[]): Promise<Deployed> {
  const before = await deploymentBefore(others);
  await runTool("osls", ["deploy", ...others]);
  const { bucket, url } = await stackOf(others);
  if (bucket !== undefined)
    console.log(`Its models: npx nearcast push --all --release --to s3://${bucket}`);
  const goBack = () => runTool("osls", ["rollback", "--timestamp", before ?? "", ...others]);
  return { url, goBack: before === undefined ? undefined : goBack };
}

/** The timestamp of the newest deployment that osls keeps. */
async function deploymentBefore(others: readonly string[]): Promise<string | undefined> {
  const { bucket } = await stackOf(others);
  if (bucket === undefined) return undefined;
  const list = await askTool("osls", ["deploy", "list", ...others]);
  const stamps = [...list.matchAll(/^\s*Timestamp:\s*(\d+)/gm)].map(([, stamp = ""]) => stamp);
  return stamps.toSorted((a, b) => Number(a) - Number(b)).at(-1);
}
