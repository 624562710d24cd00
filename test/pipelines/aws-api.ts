import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { startS3, type S3Server } from "../../cli/local/s3-server.ts";
import { s3Environment } from "../cli/nearcast.ts";
import { startFunctionPlace } from "./aws-function.ts";
import { startToolsS3 } from "./aws-s3.ts";
import { createCloudFormation } from "./cloudformation.ts";

export interface AwsApi {
  /** The variables with which osls and the command use it. */
  env: Record<string, string>;
  /** Where the deployed function answers. */
  url: string;
  s3: S3Server;
  /** The stacks that there are. */
  stacks: () => string[];
  stop: () => Promise<void>;
}

interface Template {
  Resources: {
    PredictLambdaFunction?: {
      Properties: {
        Code: { S3Key: string };
        Handler: string;
        Environment: { Variables: Record<string, unknown> };
      };
    };
  };
}

/** The bucket in which osls keeps packages, and that of the models. */
const DEPLOYMENTS = "deployments";
const MODELS = "models";

/**
 * AWS for a pipeline: S3, a CloudFormation that keeps the templates of one stack, and a Parameter Store with the keys. Of
 * what a template describes there is the function that answers: its package, with its variables besides those that name
 * other resources than the models' bucket.
 * @param nextEnv What the function of the next new template gets besides. Going back to one gives it what it had.
 */
export async function startAwsApi(
  apiKeys: string,
  nextEnv: () => Record<string, string>,
): Promise<AwsApi> {
  const s3 = await startS3({ buckets: [DEPLOYMENTS, MODELS] });
  const place = await startFunctionPlace();
  const given = new Map<string, Record<string, string>>();
  const formation = createCloudFormation({
    read: (url) => String(s3.get(DEPLOYMENTS, keyIn(url))),
    onTemplate: runFunction,
    onDelete: place.end,
    outputs: { ServiceUrl: place.url, ModelsBucket: MODELS },
    bucket: DEPLOYMENTS,
  });
  const api = createServer((request, response) => {
    void (async () => {
      // osls looks for a stage of API Gateway's other kind.
      if (request.url?.startsWith("/restapis")) return response.end('{"item":[]}');
      const target = request.headers["x-amz-target"];
      const fields = new URLSearchParams(await text(request));
      if (target !== undefined) return response.end(parameter(String(target), apiKeys));
      const { status, body } = await formation.answer(fields);
      return response.writeHead(status, { "Content-Type": "text/xml" }).end(body);
    })();
  }).listen(0, "127.0.0.1");
  const toolsS3 = startToolsS3(s3);
  const servers = [api, toolsS3];
  for (const server of servers) if (!server.listening) await once(server, "listening");
  const env: Record<string, string> = {
    ...s3Environment(s3),
    AWS_ENDPOINT_URL: urlOf(api),
    AWS_ENDPOINT_URL_S3: urlOf(toolsS3),
    S3_ENDPOINT: urlOf(toolsS3),
    SLS_AWS_MONITORING_FREQUENCY: "50",
  };

  async function runFunction(template: string): Promise<void> {
    const { PredictLambdaFunction } = (JSON.parse(template) as Template).Resources;
    // The first template of a stack has only the bucket for packages.
    if (!PredictLambdaFunction) return;
    const { Code, Handler: handler, Environment } = PredictLambdaFunction.Properties;
    if (!given.has(template)) given.set(template, nextEnv());
    const texts = Object.entries(Environment.Variables).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    );
    const own = { ...Object.fromEntries(texts), STORE: `s3://${MODELS}` };
    const zip = s3.get(DEPLOYMENTS, Code.S3Key) ?? Buffer.alloc(0);
    await place.replace({ zip, handler, env: { ...env, ...own, ...given.get(template) } });
  }

  return {
    env,
    url: place.url,
    s3,
    stacks: formation.stacks,
    async stop() {
      await place.stop();
      await s3.close();
      for (const server of servers) server.close();
    },
  };
}

/** Parameter Store's answer. ECR has no repository, which osls asks for when it removes a stack. */
function parameter(target: string, Value: string): string {
  return JSON.stringify(target.endsWith(".GetParameter") ? { Parameter: { Value } } : {});
}

const urlOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

function keyIn(url: string): string {
  return decodeURIComponent(new URL(url).pathname).split("/").slice(2).join("/");
}
