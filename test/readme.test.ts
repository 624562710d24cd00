import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
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

test("the README's links lead somewhere", async () => {
  const links = [...readme.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link ?? "");
  expect(links.length).toBeGreaterThan(0);
  for (const link of links) await readFile(join(dirname(join(root, "README.md")), link));
});
