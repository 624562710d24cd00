// Sends at least 2,000 generated requests to every platform, and fails on a 5xx and on any answer outside the
// description: `node test/clients/fuzz.ts PYTHON [platform …]`. PYTHON has what fuzz-requirements.txt names.
import { spawn } from "node:child_process";
import { PLATFORMS } from "../dialects/platforms.ts";
import { setup } from "../harness/build.ts";
import { openDoor } from "./door.ts";

/** round-trip.test.ts fuzzes their tensors. Here they would only repeat that. */
const FIXTURES = "^/v1/models/(bool|bytes|fp..|u?int[0-9]+|gather|image|scalar)/";
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
];

const [python = "python3", ...wanted] = process.argv.slice(2);
await setup();
for (const [name, start] of PLATFORMS) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const target = await start();
  const door = await openDoor(target);
  try {
    console.log(`\n== ${name} at ${door.url}`);
    await fuzz(door.url);
  } finally {
    door.close();
    await target.stop();
  }
}

async function fuzz(url: string): Promise<void> {
  const args = [
    "-m",
    "schemathesis.cli",
    "run",
    `${url}/openapi.json`,
    "--url",
    url,
    "--checks",
    CHECKS.join(","),
    "--phases",
    "examples,coverage,fuzzing",
    "--max-examples",
    "40",
    "--continue-on-failure",
    "--request-timeout",
    "30",
    "--exclude-path-regex",
    FIXTURES,
    "--no-color",
  ];
  const child = spawn(python, args, { stdio: "inherit" });
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(`schemathesis ended with ${String(code)}`);
}
