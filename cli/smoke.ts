import { setTimeout as sleep } from "node:timers/promises";
import { compareAnswers } from "./compare.ts";
import { askDeployment, type DeploymentFlags } from "./deployment.ts";
import { label } from "./package-folder.ts";

export interface SmokeOptions extends DeploymentFlags {
  /** Numbers may differ by this × max(1, |expected|). */
  tolerance: number;
  /** How long the deployment may take until it answers right. */
  waitSeconds: number;
  /** What the store has released, by model: these versions must answer. */
  released?: (() => Promise<ReadonlyMap<string, string>>) | undefined;
}

interface Recorded {
  input: unknown;
  output?: unknown;
}

interface Described {
  name: string;
  version: string;
  released: string;
  examples: readonly Recorded[];
}

interface Answer {
  version: string;
  outputs: unknown;
}

const RETRY_MS = 500;

/**
 * Asks a deployment what its callers ask: whether it is ready, and the examples of the released models. Resolves to a
 * line for each model. Rejects with what is still wrong when the wait is over.
 */
export function smoke(options: SmokeOptions): Promise<string[]> {
  return untilRight(options, async () => {
    await checkReady(options);
    const { models } = (await askDeployment(options, "/v1/models")) as { models: Described[] };
    if (models.length === 0) throw new Error(`${options.url} has no model that answers.`);
    // Read again each time: somebody may release another one while this waits.
    const released = await options.released?.();
    const lines: string[] = [];
    for (const { name } of models) {
      const model = await describe(options, name);
      if (released) checkReleased(options, model, released.get(name));
      lines.push(await checkAnswers(options, model, model.version));
    }
    return lines;
  });
}

interface SmokedVersion {
  name: string;
  version: string;
  onTrial: boolean;
  /** Its examples with those that the deployment does not show. The shortest is asked if it shows none. */
  known?: readonly Recorded[];
}

/**
 * The same for one version: that it is the released one and answers, or, on trial, that it answers when asked by its
 * number.
 */
export function smokeVersion(
  options: SmokeOptions,
  { name, version, onTrial, known = [] }: SmokedVersion,
): Promise<string> {
  return untilRight(options, async () => {
    await checkReady(options);
    const model = await describe(options, onTrial ? `${name}/versions/${version}` : name);
    if (model.version !== version)
      throw new Error(`${options.url} answers with ${label(model)}, not with version ${version}.`);
    const examples = hasRecorded(model.examples) ? model.examples : shortest(known);
    return checkAnswers(options, { ...model, examples }, onTrial ? undefined : version);
  });
}

function checkReleased(
  { url }: DeploymentFlags,
  { name, released }: Described,
  stored: string | undefined,
): void {
  if (released === stored) return;
  const inStore = stored === undefined ? "has released none" : label({ name, version: stored });
  throw new Error(`${url} has released ${name}@${released}, and its store ${inStore}.`);
}

const hasRecorded = (examples: readonly Recorded[]) =>
  examples.some(({ output }) => output !== undefined);

function shortest(examples: readonly Recorded[]): readonly Recorded[] {
  const length = ({ input }: Recorded) => JSON.stringify(input).length;
  return examples.toSorted((a, b) => length(a) - length(b)).slice(0, 1);
}

async function untilRight<T>({ waitSeconds }: SmokeOptions, attempt: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + waitSeconds * 1000;
  for (;;)
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() + RETRY_MS > deadline) throw error;
      await sleep(RETRY_MS);
    }
}

async function checkReady(options: DeploymentFlags): Promise<void> {
  await askDeployment(options, "/ready");
}

async function describe(options: DeploymentFlags, path: string): Promise<Described> {
  return (await askDeployment(options, `/v1/models/${path}`)) as Described;
}

/** `released`: ask as callers do, who do not name a version. */
async function checkAnswers(
  options: SmokeOptions,
  model: Described,
  released: string | undefined,
): Promise<string> {
  const known = model.examples.filter(({ output }) => output !== undefined);
  const byVersion = `/v1/models/${model.name}/versions/${model.version}/predict`;
  const path = released === undefined ? byVersion : `/v1/models/${model.name}/predict`;
  for (const { input, output } of known) {
    const body = { inputs: input };
    let answer = (await askDeployment(options, path, body)) as Answer;
    // A version on trial may answer some callers.
    if (answer.version !== model.version)
      answer = (await askDeployment(options, byVersion, body)) as Answer;
    const { mismatch } = await compareAnswers(output, answer.outputs, options.tolerance);
    if (mismatch !== undefined)
      throw new Error(
        `${label(model)} at ${options.url} answers otherwise than recorded: ${mismatch}`,
      );
  }
  if (known.length === 0) return `${label(model)}: has no short example to ask`;
  const count = known.length === 1 ? "1 example is" : `${known.length} examples are`;
  return `${label(model)}: ${count} answered as recorded`;
}
