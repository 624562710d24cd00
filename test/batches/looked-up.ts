import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { expect } from "vitest";
import { writeObjects } from "../../functions/features/object-source.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { churnFolder, customers } from "../features/service.ts";
import { endOf } from "./flowers.ts";

const HEADER = "customer_id,income,age,member,city\n";
const COLUMNS = HEADER.trimEnd().split(",");
/** All found, one given, one by default, one refused, all given. */
const LINES = ["42,1,,,", "43,2,30,,", "7,3,30,true,", "99,4,,,", ",5,30,true,Oslo"];
export const FILE = HEADER + LINES.map((line) => `${line}\n`).join("");
/** Rows that have a line of output, as inputs. */
const INPUTS = LINES.flatMap((line) => (line.startsWith("99") ? [] : [inputOf(line)]));

function inputOf(line: string): Record<string, unknown> {
  const cells = line.split(",").map((cell, column) => [COLUMNS[column], valueOf(cell)] as const);
  return Object.fromEntries(cells.filter(([, value]) => value !== undefined));
}

function valueOf(cell: string): unknown {
  if (cell === "") return undefined;
  return /^\d+$/.test(cell) ? Number(cell) : cell === "true" ? true : cell;
}

/** The folder of the model `churn`, which looks up, and of the table that it looks up in. */
export async function lookedUp({ hasTimes = true } = {}) {
  const features = [{ name: "age" }, { name: "member" }, { name: "city", default: "Bergen" }];
  const table = await mkdtemp(join(tmpdir(), "nearcast-features-"));
  const rows = customers().map(({ at, ...row }) => (hasTimes ? { ...row, at } : row));
  await writeObjects(createFolderStore(table), rows);
  return { models: await churnFolder({ features, cacheSeconds: 0 }), table };
}

/** Puts the table below `features/` of a store. */
export async function putTable(
  table: string,
  put: (key: string, bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  for (const entry of await readdir(table, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) await put(`features/${relative(table, path)}`, await readFile(path));
  }
}

interface Answer {
  outputs: object;
  features: Record<string, object>;
}

type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

async function answerOf(fetch: Fetch, inputs: unknown): Promise<Answer> {
  const answer = await fetch("/v1/models/churn/predict", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ inputs }),
  });
  expect(answer.status).toBe(200);
  return (await answer.json()) as Answer;
}

const isAge = (name: string) => name === "ageSeconds";

/** Ages go on between two answers. */
export function withoutAges(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (name, one: unknown) => {
      if (isAge(name)) expect(one).toBeGreaterThanOrEqual(60);
      return isAge(name) ? "an age" : one;
    }),
  );
}

/** Lines of JSONL are what the synchronous answers for the rows have, one by one. */
export async function expectStatuses(fetch: Fetch, text: string): Promise<void> {
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as object | null);
  expect(lines.map((line) => line === null)).toEqual([false, false, false, true, false]);
  const wanted = [];
  for (const input of INPUTS) {
    const { outputs, features } = await answerOf(fetch, input);
    wanted.push({ ...outputs, features });
  }
  expect(wanted.map(({ features }) => features["city"])).toMatchObject([
    { status: "found" },
    { status: "found" },
    { status: "default", reason: "not_found" },
    { status: "given" },
  ]);
  expect(withoutAges(lines.filter(Boolean))).toEqual(withoutAges(wanted));
}

/** A batch of {@link FILE} tells of each row where its features are from, as JSONL and as CSV. */
export async function expectStatusesOfBatch(fetch: Fetch): Promise<void> {
  const made = await fetch("/v1/batches?model=churn", {
    method: "POST",
    headers: { "Content-Type": "text/csv" },
    body: FILE,
  });
  expect(made.status).toBe(202);
  const location = made.headers.get("location") ?? "";
  expect(await endOf(fetch, location)).toMatchObject({
    status: "succeeded",
    counts: { completed: 4, failed: 1 },
  });
  const read = async (what: string) => (await fetch(`${location}/${what}`)).text();
  expect(await read("errors")).toContain("is not known to customers");
  await expectStatuses(fetch, await read("output"));
  expectStatusesInCsv(await read("output?format=csv"));
}

export function expectStatusesInCsv(text: string): void {
  const rows = text
    .trimEnd()
    .split("\n")
    .map((line) => line.split(","));
  const parts = ["age", "member", "city"].flatMap((name) =>
    ["status", "reason", "ageSeconds"].map((part) => `features.${name}.${part}`),
  );
  expect(rows[0]).toEqual(["value", ...parts]);
  const age = expect.stringMatching(/^\d+(\.\d+)?$/) as unknown;
  const [found, given] = [["found", "", age], ["given", "", ""]]; // oxfmt-ignore
  expect(rows.slice(1).map(([, ...cells]) => cells)).toEqual([
    [...found, ...found, ...found],
    [...given, ...found, ...found],
    [...given, ...given, "default", "not_found", ""],
    Array(9).fill(""),
    [...given, ...given, ...given],
  ]);
}
