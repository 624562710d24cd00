import { expect, test } from "vitest";
import { asUser, curl, makeClone } from "./harness/as-a-user.ts";
import { blocks, readme, root } from "./readme.ts";

/** The end of what the server prints at its start. */
const PRINTED = /petal_width": 0.1}}'/;

test(
  "npm ci && npm start in a fresh copy, and the line it prints",
  { timeout: 300_000 },
  async () => {
    const clone = await makeClone();
    const output = await asUser("npm ci && npm start", clone, {
      marker: PRINTED,
      env: { PORT: "8791" },
    });
    expect(output).not.toMatch(/npm (warn|error)/i);
    const printed = /curl [^]*?'\n/.exec(output)?.[0] ?? "";
    expect(await curl(printed, 8791)).toMatchObject({
      model: "iris",
      outputs: { label: "setosa" },
    });
    const asked = blocks.filter((block) => block.startsWith("curl"));
    expect(asked.length).toBeGreaterThan(1);
    expect(asked[0]).toBe(printed.trim().replaceAll(/\n +/g, "\n  ").replaceAll("8791", "8787"));
    for (const line of asked) expect(await curl(line, 8791)).toHaveProperty("outputs");
    const answer = /```json\n(.+)\n```/.exec(readme)?.[1] ?? "";
    expect(await curl(asked[0] ?? "", 8791)).toEqual(JSON.parse(answer));
  },
);

test.each([
  ["npm run dev:edge", 8792],
  ["npm run dev:lambda", 8793],
])("%s", { timeout: 300_000 }, async (command, port) => {
  expect(readme).toContain(`\`${command}\``);
  await asUser(command, root, { marker: /is served at/, env: { PORT: String(port) } });
  expect(await curl(blocks.find((block) => block.startsWith("curl")) ?? "", port)).toMatchObject({
    outputs: { label: "setosa" },
  });
});
