import * as z from "zod";
import { manifestFields, parseManifest, type Manifest } from "../model/manifest.ts";
import { checkCapture } from "./check-capture.ts";
import { checkLookup } from "./check-lookup.ts";
import { fitBatchDimension } from "./fit-batch.ts";
import { BUILT_IN_TASKS } from "./built-in.ts";
import type { CompiledTask, Task } from "./define.ts";

/** Everything but the manifest that compiling a task needs. */
export type CompileParts = Omit<Parameters<Task["compile"]>[0], "manifest">;

/** The tasks of a service, by name. */
export interface Tasks {
  /** Throws an Error that names the known tasks. */
  of(manifest: Pick<Manifest, "task">): Task;
  /** Reads `model.json`. Throws an Error with every reason in one message. */
  parseManifest(text: string): Manifest;
  /** Rejects with an Error when the manifest lacks something that the task needs. */
  compile(manifest: Manifest, parts: CompileParts): Promise<CompiledTask>;
  all: readonly Task[];
}

/** The built-in tasks and the given ones. Throws an Error for two with the same name. */
export function createTasks(added: readonly Task[] = []): Tasks {
  const all = [...BUILT_IN_TASKS, ...added];
  const byName = new Map(all.map((task) => [task.name, task]));
  if (byName.size < all.length) {
    const twice = all.find(({ name }, index) => all.findIndex((one) => one.name === name) < index);
    throw new Error(`There are two tasks named ${twice?.name}.`);
  }

  function of({ task: name }: Pick<Manifest, "task">): Task {
    const task = byName.get(name);
    if (task) return task;
    throw new Error(`task ${name} is none of ${[...byName.keys()].join(", ")}`);
  }

  /** Reads manifests of an unknown task. Refuses them, and names their other mistakes too. */
  function unknownTask(): z.ZodType<Manifest> {
    const options = all.flatMap((task) => Object.keys(task.options));
    return z.strictObject({
      ...manifestFields,
      task: z.enum([...byName.keys()]),
      ...Object.fromEntries(options.map((option) => [option, z.unknown().optional()])),
    });
  }

  return {
    all,
    of,
    parseManifest: (text) =>
      parseManifest(text, (task) => byName.get(task)?.manifestSchema ?? unknownTask()),
    async compile(manifest, parts) {
      const task = of(manifest);
      const takesRows = task.input !== "tensors" && !task.hasOwnBatches;
      if (manifest.batchDimension === null && takesRows)
        throw new Error(`task ${task.name} takes rows: its batchDimension cannot be null`);
      if (manifest.batchDimension !== null && task.hasOwnBatches)
        throw new Error(
          `task ${task.name} needs batchDimension null: the first dimensions of its graph's inputs are of different things`,
        );
      checkCapture(manifest, task);
      checkLookup(manifest, parts.limits);
      const compiled = await task.compile({ ...parts, manifest });
      // Tensors have their own batch dimension. It must fit the graph's.
      return takesRows ? fitBatchDimension(manifest, compiled) : compiled;
    },
  };
}
