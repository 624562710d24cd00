import { existsSync } from "node:fs";

type Wrangler = typeof import("wrangler");

const OLDEST_NODE = 22;

/** wrangler, which a project has where it deploys to Cloudflare. Rejects with what is missing. */
export async function importWrangler(): Promise<Wrangler> {
  const node = Number(process.versions.node.split(".")[0]);
  if (node < OLDEST_NODE)
    throw new Error(
      `wrangler needs Node ${OLDEST_NODE} or later, this is ${process.versions.node}. Use another, or: npm install --save-dev node@24`,
    );
  try {
    return await import("wrangler");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw cause;
    throw new Error(
      "wrangler is not installed here. Get it with: npm install --save-dev wrangler",
      {
        cause,
      },
    );
  }
}

export interface WorkerConfiguration {
  main: string | undefined;
  vars: Record<string, unknown>;
  compatibilityDate: string | undefined;
  crons: readonly string[];
  /** Names of the bindings that count rates. */
  rates: readonly string[];
  /** The bucket of the models. */
  bucket: { binding: string; name: string; prefix: string };
  queues: {
    producers?: { binding: string; queue?: string | undefined }[] | undefined;
    consumers?: { queue?: string; dead_letter_queue?: string | undefined }[] | undefined;
  };
}

const FILES = ["wrangler.toml", "wrangler.json", "wrangler.jsonc"];

/** wrangler's configuration in the working directory. Undefined: there is none. */
export function workerFile(): string | undefined {
  return FILES.find((file) => existsSync(file));
}

/** What wrangler's configuration in the working directory says about the Worker. Throws if it has no bucket. */
export async function readWorkerConfiguration(env?: string): Promise<WorkerConfiguration> {
  if (workerFile() === undefined)
    throw new Error(
      `There is no wrangler.toml in ${process.cwd()}. A project that has one is made with: nearcast init <folder> --platform cloudflare`,
    );
  const { unstable_readConfig } = await importWrangler();
  const configuration = unstable_readConfig(env === undefined ? {} : { env });
  const { main, vars, r2_buckets, queues, compatibility_date, triggers, ratelimits } =
    configuration;
  const store = String(vars["STORE"] ?? "r2://MODELS");
  const [, binding = "", prefix = ""] = /^r2:\/\/([^/]+)\/?(.*)$/.exec(store) ?? [];
  const buckets = r2_buckets as { binding: string; bucket_name?: string }[];
  const bucket = buckets.find((one) => one.binding === binding);
  if (!bucket)
    throw new Error(
      `wrangler.toml binds no R2 bucket as ${binding}, where ${store} has the models. Add: [[r2_buckets]] binding = "${binding}" bucket_name = "…"`,
    );
  const name = bucket.bucket_name ?? binding;
  return {
    main,
    vars,
    compatibilityDate: compatibility_date,
    crons: triggers.crons ?? [],
    rates: (ratelimits as { name: string }[]).map(({ name: rate }) => rate),
    bucket: { binding, name, prefix },
    queues,
  };
}
