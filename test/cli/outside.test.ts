import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nearcast, root, snapshot, temporaryFolder } from "./nearcast.ts";

test(
  "a package written by hand whose artifact reaches out of it is neither verified nor pushed",
  { timeout: 300_000 },
  async () => {
    const models = await temporaryFolder();
    const store = await temporaryFolder();
    for (const model of ["parent", "absolute", "sibling", "operator"]) {
      await cp(join(root, "test/fixtures/breaking", model), join(models, model), {
        recursive: true,
      });
      const path = join(models, model, "1/model.json");
      const manifest = JSON.parse(await readFile(path, "utf8")) as object;
      const examples = [{ input: { x: [1] }, output: { y: [8] } }];
      await writeFile(path, JSON.stringify({ ...manifest, examples }));
      // The file exists in the package's folder, but the manifest does not list it.
      await writeFile(
        join(models, model, "1/unlisted.data"),
        Buffer.from(Float32Array.of(7).buffer),
      );
      const outcome = await nearcast(["push", `${model}@1`, "--models", models, "--to", store]);
      expect(outcome).toMatchObject({ code: 1, stdout: "" });
      expect(outcome.stderr).toContain(`cannot load the artifact of ${model}`);
    }
    expect(await snapshot(store)).toEqual({});
  },
);
