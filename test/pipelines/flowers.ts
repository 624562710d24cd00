import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

const example = join(import.meta.dirname, "../../examples/retraining");

interface Flower {
  input: Record<string, number>;
  label: string;
}

/** The example has compiler settings of its own. */
const { createMaker, FEATURES, toCsv } = (await import(join(example, "flowers.ts"))) as {
  createMaker: (seed: number) => (count: number, options?: { petals: number }) => Flower[];
  FEATURES: string[];
  toCsv: (flowers: readonly Flower[]) => string;
};
const flowers = createMaker(7);
const HELD_OUT = flowers(300, { petals: 1.35 });
const DATA = {
  /** Last year's flowers, which had smaller petals than those that are held out. */
  old: () => toCsv(flowers(300)),
  /** Labels that belong to other flowers. */
  wrong: () => {
    const some = flowers(300, { petals: 1.35 });
    return toCsv(some.map(({ input }, at) => ({ input, label: some.at(at - 1)?.label ?? "" })));
  },
  /** This year's. */
  new: () => toCsv(flowers(600, { petals: 1.35 })),
  /** More of this year's. */
  more: () => toCsv(flowers(900, { petals: 1.35 })),
};

/** Gives a project a model that is trained in CI. */
export async function addFlowers(project: string): Promise<void> {
  const folder = join(project, "models/flowers");
  await mkdir(join(folder, "data"), { recursive: true });
  await cp(join(example, "train.py"), join(folder, "train.py"));
  const recipe = {
    inputs: ["train.py", "data"],
    run: "python3 train.py model.onnx data/train.csv",
    artifact: "model.onnx",
    add: ["--features", FEATURES.join(","), "--description", "Tells three flowers apart."],
    baseline: "data/train.csv",
  };
  await writeFile(join(folder, "training.json"), JSON.stringify(recipe, undefined, 2));
  await writeFile(join(folder, "heldout.csv"), toCsv(HELD_OUT));
  await changeData(project, "old");
}

export async function changeData(project: string, data: keyof typeof DATA): Promise<void> {
  await writeFile(join(project, "models/flowers/data/train.csv"), DATA[data]());
}
