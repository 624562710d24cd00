import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { filesOfModels } from "../cli/local/models.ts";
import { startS3 } from "../cli/local/s3-server.ts";
import { s3Environment, succeed } from "./cli/nearcast.ts";
import { shippedModels } from "./harness/models.ts";
import { blocks, readme, root } from "./readme.ts";

test("the README's first screen has the two commands", () => {
  const firstScreen = readme.split("\n").slice(0, 40).join("\n");
  for (const command of ["npm ci && npm start", "npm ci && npm test"]) {
    expect(firstScreen).toContain(`\`\`\`sh\n${command}\n\`\`\``);
    expect(blocks).toContain(command);
  }
});

test("the README's table has the figures of the manifests", () => {
  for (const { manifest } of shippedModels) {
    const [main] = manifest.metrics;
    const figure = `${main?.name} ${main?.value.toFixed(3)} (${main?.rows} rows)`;
    const line = readme
      .split("\n")
      .find((row) => row.startsWith(`| \`${manifest.name}\` | ${manifest.task} |`));
    expect(line).toContain(figure);
  }
});

test("the README's line for the bucket puts all files of all models there, released", async () => {
  const [line = ""] = /nearcast push --all --release --to s3:\/\/BUCKET/.exec(readme) ?? [];
  const s3 = await startS3({ buckets: ["BUCKET"] });
  onTestFinished(() => s3.close());
  // Whether the models verify is not the question here.
  const args = [...line.split(" ").slice(1), "--runtime", "native"];
  await succeed(args, s3Environment(s3));
  const models = join(root, "models");
  const keys = await filesOfModels(models);
  expect(s3.keys("BUCKET").toSorted()).toEqual(keys);
  for (const key of keys.filter((key) => key.endsWith("/release.json"))) {
    const { stable } = JSON.parse(await readFile(join(models, key), "utf8")) as { stable: string };
    expect(JSON.parse(String(s3.get("BUCKET", key)))).toMatchObject({ stable });
  }
});

test("the README's image is a held-out row", async () => {
  const digits = shippedModels.find(({ manifest }) => manifest.name === "digits");
  const file = await readFile(join(root, "models/digits/seven.png"));
  expect(digits?.heldout[0]).toEqual({ input: file.toString("base64"), label: "7" });
});

test("the README's links lead somewhere", async () => {
  const links = [...readme.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link ?? "");
  expect(links.length).toBeGreaterThan(0);
  for (const link of links) {
    const [file = "", place] = link.split("#");
    const text = await readFile(join(root, file), "utf8");
    if (place !== undefined) expect(headingsOf(text)).toContain(place);
  }
});

/** The headings of a Markdown file, as links name them. */
function headingsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\w -]/g, "")
      .replaceAll(" ", "-"),
  );
}
