// Runs clients that need Python against every platform: `node test/clients/run.ts [platform …]`. It makes its
// own virtual environment below .cache/ and is no part of `npm test`.
import { execFile, spawn } from "node:child_process";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { PLATFORMS } from "../dialects/platforms.ts";
import { setup } from "../harness/build.ts";
import type { Target } from "../harness/targets.ts";

const run = promisify(execFile);
const here = import.meta.dirname;
const environment = join(here, "../../.cache/clients-venv");
/** Their tensors are fuzzed by round-trip.test.ts; here they would only be more of the same. */
const FIXTURES = "^/v1/models/(bool|bytes|fp..|u?int[0-9]+|gather|image|scalar)/";
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_headers_conformance",
  "response_schema_conformance",
];

const wanted = process.argv.slice(2);
await makeEnvironment();
await setup();
for (const [name, start] of PLATFORMS) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const target = await start();
  const door = await openDoor(target);
  try {
    console.log(`\n== ${name} at ${door.url}`);
    await python("triton.py", door.url);
    await python("mlflow_requests.py", door.url);
    await python(await pageExample(door.url));
    await fuzz(door.url);
  } finally {
    door.close();
    await target.stop();
  }
}

async function makeEnvironment(): Promise<void> {
  const requirements = join(here, "requirements.txt");
  const marker = join(environment, "installed.txt");
  const installed = await readFile(marker, "utf8").catch(() => "");
  if (installed === (await readFile(requirements, "utf8"))) return;
  if (!(await stat(environment).catch(() => undefined)))
    await run("python3", ["-m", "venv", environment]);
  await run(join(environment, "bin/pip"), ["install", "-q", "-r", requirements]);
  await writeFile(marker, await readFile(requirements));
}

/** A port in front of the target: Lambda has none of its own, and an odd header must arrive as it was sent. */
async function openDoor(target: Target): Promise<{ url: string; close: () => void }> {
  if (target.url)
    return { url: target.url.replace("localhost", "127.0.0.1"), close: () => undefined };
  const server = createServer((request, response) => {
    void forward(target, request, response);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => void server.close() };
}

async function forward(
  target: Target,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const headers = new Headers();
  const dropped = new Set(["connection", "content-length", "host", "transfer-encoding", "expect"]);
  for (const [name, value] of Object.entries(request.headers))
    if (!dropped.has(name)) headers.set(name, String(value));
  const { method = "GET", url = "/" } = request;
  // fetch refuses to send these.
  if (/^(TRACE|CONNECT|TRACK)$/.test(method)) return void response.writeHead(405).end("{}");
  const body = method === "GET" || method === "HEAD" ? {} : { body: Buffer.concat(chunks) };
  const answer = await target.fetch(url, { method, headers, ...body });
  const bytes = Buffer.from(await answer.arrayBuffer());
  response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(bytes);
}

/** The Python example of docs/clients.md as a file. */
async function pageExample(url: string): Promise<string> {
  const page = await readFile(join(here, "../../docs/clients.md"), "utf8");
  const [, code = ""] = /```python\n([^]*?)```/.exec(page) ?? [];
  const file = join(environment, "example.py");
  await mkdir(environment, { recursive: true });
  await writeFile(file, code.replace("localhost:8787", url.replace("http://", "")));
  return file;
}

async function python(script: string, ...args: string[]): Promise<void> {
  await inherit(join(environment, "bin/python"), [
    join(script.startsWith("/") ? "" : here, script),
    ...args,
  ]);
}

/** At least 2,000 generated requests; fails on a 5xx and on any answer outside the description. */
async function fuzz(url: string): Promise<void> {
  await inherit(join(environment, "bin/schemathesis"), [
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
  ]);
}

async function inherit(command: string, args: string[]): Promise<void> {
  const child = spawn(command, args, { stdio: "inherit" });
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(`${command} ${args[0]} ended with ${String(code)}`);
}
