import { link, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const IRIS = join(import.meta.dirname, "../../models/iris");

/** A folder with so many released models. All are iris, and one has that name. */
export async function manyModels(count: number) {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-many-"));
  const manifest = JSON.parse(await readFile(join(IRIS, "1/model.json"), "utf8")) as object;
  const artifact = await readFile(join(IRIS, "1/model.onnx"));
  const kept = join(folder, "model.onnx");
  await writeFile(kept, artifact);
  for (let index = 0; index < count; index++) {
    const name = index === 0 ? "iris" : `iris-${index}`;
    const version = join(folder, name, "1");
    await mkdir(version, { recursive: true });
    await link(kept, join(version, "model.onnx"));
    await writeFile(join(version, "model.json"), JSON.stringify({ ...manifest, name }));
    await writeFile(join(folder, name, "release.json"), '{"stable":"1"}');
  }
  return { folder, remove: () => rm(folder, { recursive: true }) };
}
