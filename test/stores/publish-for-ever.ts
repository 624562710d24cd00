import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pushPackage } from "../../cli/push.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import { changeRelease } from "../../functions/model/change-release.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { storedVersions } from "../../functions/model/versions.ts";

// A process that is to be killed: it pushes versions into a folder and releases each. Arguments: the folder of the
// store, and one for its own files. Says `begun` when it begins.

const [storeFolder = "", own = ""] = process.argv.slice(2);
const store = createFolderStore(storeFolder);
const quiet = { start: () => undefined, done: () => undefined };
const last = Number((await storedVersions(store, "m")).get("m")?.at(-1) ?? 0);
process.stdout.write("begun\n");
for (let number = last + 1; ; number++) {
  const version = String(number);
  const folder = join(own, version);
  await mkdir(folder, { recursive: true });
  const described = [];
  for (const file of ["model.onnx", "words.json"]) {
    const text = `${file} ${version} `.repeat(20_000);
    await writeFile(join(folder, file), text);
    const sha256 = createHash("sha256").update(text).digest("hex");
    described.push({ file, bytes: text.length, sha256 });
  }
  const [artifact, ...assets] = described;
  const manifest = { name: "m", version, artifact, assets };
  await writeFile(join(folder, "model.json"), JSON.stringify(manifest));
  const local = { models: own, folder, manifest: manifest as unknown as Manifest };
  await pushPackage(local, store, quiet);
  for (let times = 0; times < 5; times++) await changeRelease(store, "m", () => ({ version }));
}
