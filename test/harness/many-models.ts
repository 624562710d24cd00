import { createHash } from "node:crypto";
import { link, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const IRIS = join(import.meta.dirname, "../../models/iris");

interface ManyModels {
  /** The artifact in place of iris's own. Each model then has one with a digest of its own, and so a session. */
  artifact?: Uint8Array;
  /** Fields of the manifests in place of iris's own. */
  manifest?: object;
  /** What the manifests say that a session holds. */
  sessionBytes?: number;
}

/** A folder with so many released models. All are iris, and one has that name. */
export async function manyModels(count: number, options: ManyModels = {}) {
  const { artifact: given, sessionBytes } = options;
  const folder = await mkdtemp(join(tmpdir(), "nearcast-many-"));
  const iris = JSON.parse(await readFile(join(IRIS, "1/model.json"), "utf8")) as {
    artifact: object;
  };
  const kept = join(folder, "model.onnx");
  if (!given) await writeFile(kept, await readFile(join(IRIS, "1/model.onnx")));
  const names = Array.from({ length: count }, (_, index) =>
    index === 0 ? "iris" : `iris-${index}`,
  );
  for (const name of names) {
    const version = join(folder, name, "1");
    await mkdir(version, { recursive: true });
    let { artifact } = iris;
    if (given) {
      const own = named(given, name);
      await writeFile(join(version, "model.onnx"), own);
      const sha256 = createHash("sha256").update(own).digest("hex");
      artifact = {
        file: "model.onnx",
        sha256,
        bytes: own.byteLength,
        ...(sessionBytes && { sessionBytes }),
      };
    } else await link(kept, join(version, "model.onnx"));
    const manifest = { ...iris, ...options.manifest, artifact, name };
    await writeFile(join(version, "model.json"), JSON.stringify(manifest));
    await writeFile(join(folder, name, "release.json"), '{"stable":"1"}');
  }
  return { folder, names, remove: () => rm(folder, { recursive: true }) };
}

/** The same graph with the name as its `doc_string`, the sixth field of an ONNX model. */
function named(artifact: Uint8Array, name: string): Uint8Array {
  const text = Buffer.from(name);
  return Buffer.concat([artifact, Uint8Array.of(0x32, text.length), text]);
}
