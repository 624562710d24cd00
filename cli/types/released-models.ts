import type { Manifest } from "../../functions/model/manifest.ts";
import { readRelease } from "../../functions/model/release.ts";
import { storedVersions } from "../../functions/model/versions.ts";
import { schemaOf } from "../../functions/openapi/schema.ts";
import type { Tasks } from "../../functions/tasks/tasks.ts";
import { askDeployment, type DeploymentFlags } from "../deployment.ts";
import { projectTasks } from "../project.ts";
import { readManifest } from "../stored-manifest.ts";
import { withStore } from "../store.ts";
import type { DescribedModel } from "./model-types.ts";

/** The models that a running service answers for this key. */
export async function modelsOfService(deployment: DeploymentFlags): Promise<DescribedModel[]> {
  const { models } = (await askDeployment(deployment, "/v1/models")) as {
    models?: { name: string }[];
  };
  if (!Array.isArray(models)) throw new Error(`${deployment.url} is not a service of Nearcast.`);
  const tasks = await projectTasks();
  const described: DescribedModel[] = [];
  let document: Promise<unknown> | undefined;
  for (const { name } of models) {
    const path = `/v1/models/${encodeURIComponent(name)}`;
    const manifest = (await askDeployment(deployment, path)) as Manifest;
    const isKnown = tasks.all.some(({ name: task }) => task === manifest.task);
    described.push(
      isKnown
        ? describe(manifest, tasks)
        : fromDocument(manifest, await (document ??= askDeployment(deployment, "/openapi.json"))),
    );
  }
  return described;
}

/** The released models of a folder or a bucket. */
export async function modelsOfStore(url: string): Promise<DescribedModel[]> {
  const tasks = await projectTasks();
  return withStore(url, {}, async (store) => {
    const described: DescribedModel[] = [];
    for (const name of (await storedVersions(store)).keys()) {
      const version = (await readRelease(store, name))?.release.stable;
      const manifest = version === undefined ? undefined : await readManifest(store, name, version);
      if (manifest) described.push(describe(manifest, tasks));
    }
    return described;
  });
}

function describe(manifest: Manifest, tasks: Tasks): DescribedModel {
  const task = tasks.of(manifest);
  return { manifest, ...task.schema(manifest), parameters: schemaOf(task.parameters) };
}

/** A model of a task that only the service knows, by the schemas in its description of the API. */
function fromDocument(manifest: Manifest, document: unknown): DescribedModel {
  const { components } = document as { components?: { schemas?: Record<string, unknown> } };
  const schema = (name: string): unknown => components?.schemas?.[name];
  return {
    manifest,
    input: schema(`${manifest.name}.input`),
    output: schema(`${manifest.name}.output`),
    parameters: schema(`${manifest.name}.parameters`),
    resolve: (reference) => schema(reference.replace(/^#\/components\/schemas\//, "")),
  };
}
