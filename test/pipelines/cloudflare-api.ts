import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

const FIRST = "11111111-1111-4111-8111-111111111111";

export interface CloudflareApi {
  /** The variable with which wrangler uses it. */
  env: Record<string, string>;
  /** The versions that were deployed, oldest first. The first one is there from the start. */
  deployed: string[];
  /** The previews that there are. */
  previews: Set<string>;
  /** What previews were told of where their models are. */
  stores: unknown[];
  stop: () => Promise<void>;
}

/**
 * As much of Cloudflare's API as wrangler asks for to deploy one Worker, to go back, and to make and remove a preview. It keeps
 * which version is deployed, and runs none: `onDeploy` is told of it, and of the variables that wrangler gave it. `url` is where the Worker answers.
 */
export async function startCloudflareApi({
  url,
  onDeploy,
  onPreview,
}: {
  url: string;
  onDeploy: (version: string, vars: Record<string, string>) => Promise<void>;
  onPreview: (vars: Record<string, string>) => Promise<void>;
}): Promise<CloudflareApi> {
  const deployed = [FIRST];
  const previews = new Set<string>();
  const stores: unknown[] = [];
  const deploy = async (id: string, body = "") => {
    deployed.push(id);
    await onDeploy(id, nameIn(body));
    return { id, deployment_id: id, startup_time_ms: 1 };
  };
  const preview = (name: string) => {
    previews.add(name);
    return { id: name, name, slug: name, urls: [url] };
  };
  type Answer = (body: string, match: RegExpExecArray, asked: URLSearchParams) => unknown;
  const answers: [RegExp, Answer][] = [
    [
      /^GET .*\/workers\/services\/[\w-]+$/,
      () => ({ default_environment: { script: { tag: "tag", last_deployed_from: "wrangler" } } }),
    ],
    // Every queue is there, and has no consumer.
    [
      /^GET .*\/queues$/,
      (_, __, asked) =>
        asked.getAll("name").map((name) => ({ queue_id: name, queue_name: name, consumers: [] })),
    ],
    // No file is missing.
    [/^POST .*\/assets-upload-session$/, () => ({ jwt: "session", buckets: [] })],
    [/^GET .*\/settings$/, () => ({ bindings: [] })],
    [
      /^GET .*\/subdomain$/,
      () => ({ subdomain: "example", enabled: true, previews_enabled: true }),
    ],
    [
      /^GET .*\/workers\/workers\/[\w-]+$/,
      () => ({ id: "w", subdomain: { enabled: true, previews_enabled: true } }),
    ],
    [/^(GET|PATCH) .*\/previews\/([\w-]+)$/, (_, [, , name = ""]) => preview(name)],
    [
      /^POST .*\/previews\/[\w-]+\/deployments$/,
      async (body) => {
        await onPreview(nameIn(body));
        stores.push(/"STORE":(\{[^}]*\})/.exec(body)?.[1]);
        return { id: "d", urls: [`${url}/deployment`] };
      },
    ],
    [/^DELETE .*\/previews\/([\w-]+)$/, (_, [, name = ""]) => previews.delete(name)],
    [/^GET .*\/secrets$/, () => [{ name: "API_KEYS", type: "secret_text" }]],
    [
      /^GET .*\/scripts\/[\w-]+\/deployments$/,
      () => ({
        deployments: [
          {
            id: "d",
            source: "wrangler",
            strategy: "percentage",
            author_email: "dev@example.com",
            annotations: {},
            created_on: new Date(0).toISOString(),
            versions: [{ version_id: deployed.at(-1), percentage: 100 }],
          },
        ],
      }),
    ],
    [
      /^POST .*\/scripts\/[\w-]+\/deployments$/,
      async (body) => {
        const { versions } = JSON.parse(body) as { versions: { version_id: string }[] };
        return deploy(versions[0]?.version_id ?? "");
      },
    ],
    [/^GET .*\/versions\/([\w-]+)$/, (_, [, id]) => versionOf(id)],
    [/^PUT .*\/scripts\/[\w-]+$/, (body) => deploy(crypto.randomUUID(), body)],
  ];
  const server = createServer((request, response) => {
    void (async () => {
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://api");
      const body = await text(request);
      const line = `${request.method} ${pathname}`;
      const [pattern, answer] = answers.find(([one]) => one.test(line)) ?? [];
      const result =
        pattern && answer
          ? await answer(body, pattern.exec(line) as RegExpExecArray, searchParams)
          : {};
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ success: true, errors: [], messages: [], result }));
    })();
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    env: { CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${port}/client/v4` },
    deployed,
    previews,
    stores,
    stop: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}

/** The variable by which a deployment names itself. */
function nameIn(body: string): Record<string, string> {
  const [, id] = /"DEPLOYMENT_ID"[^}]*"text":"([^"]+)"/.exec(body) ?? [];
  return id === undefined ? {} : { DEPLOYMENT_ID: id };
}

const versionOf = (id: string | undefined) => ({
  id,
  number: 1,
  metadata: {
    created_on: new Date(0).toISOString(),
    source: "wrangler",
    author_email: "dev@example.com",
  },
  annotations: {},
  resources: { bindings: [], script: {}, script_runtime: {} },
});
