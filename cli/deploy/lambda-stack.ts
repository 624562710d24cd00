import { createRequire } from "node:module";
import { projectTool } from "../project-tool.ts";
import { askTool, runTool } from "./run-tool.ts";
import type { Deployed } from "./types.ts";

/** What a deployed stack says of itself. Nothing of it before the first deployment. */
export interface Stack {
  name: string | undefined;
  region: string | undefined;
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
  return {
    name: found("stack"),
    region: found("region"),
    bucket: found("ModelsBucket"),
    // With a domain or a firewall the function does not answer at its HTTP API's own address.
    url: found("ServiceUrl") ?? found("HttpApiUrl"),
  };
}

/** Deploys what was packaged. */
export async function deployStack(
  others: readonly string[],
): Promise<Pick<Deployed, "url" | "goBack">> {
  const { name, region } = await stackOf(others);
  const before = name === undefined ? undefined : await liveDeployment(name, region);
  // osls compares with what it uploaded last, which is not what runs after going back.
  await runTool("osls", ["deploy", "--force", ...others]);
  const { bucket, url } = await stackOf(others);
  if (bucket !== undefined)
    console.log(`Its models: npx nearcast push --all --release --to s3://${bucket}`);
  const goBack = () => runTool("osls", ["rollback", "--timestamp", before ?? "", ...others]);
  return { url, goBack: before === undefined ? undefined : goBack };
}

/** What is used of the client with which osls asks CloudFormation. */
interface CloudFormation {
  CloudFormationClient: new (options: { region: string | undefined }) => {
    send: (command: object) => Promise<{ TemplateBody?: string }>;
    destroy: () => void;
  };
  GetTemplateCommand: new (input: { StackName: string }) => object;
}

/**
 * The timestamp of the deployment whose package the stack runs. After going back, or after a deployment that failed, the
 * newest one that osls keeps is another.
 */
async function liveDeployment(
  StackName: string,
  region: string | undefined,
): Promise<string | undefined> {
  const load = createRequire(projectTool("osls"));
  const { CloudFormationClient, GetTemplateCommand } = load(
    "@aws-sdk/client-cloudformation",
  ) as CloudFormation;
  const client = new CloudFormationClient({ region });
  try {
    const { TemplateBody = "" } = await client.send(new GetTemplateCommand({ StackName }));
    return /"S3Key":\s*"[^"]+\/(\d+)-[^"/]+\/[^"/]+"/.exec(TemplateBody)?.[1];
  } finally {
    client.destroy();
  }
}
