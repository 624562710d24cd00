import { expect, test } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import { VERSION } from "../functions/version.ts";

test("The version that the service names is the package's", () => {
  expect(VERSION).toBe(packageJson.version);
});
