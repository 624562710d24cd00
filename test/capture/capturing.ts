import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { createApp } from "../../functions/app.ts";
import { capturedPrefix, type CapturedInput } from "../../functions/observe/capture/captured.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import type { Store } from "../../functions/model/store.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import type { Platform } from "../../functions/platform/types.ts";
import { createService } from "../../functions/service.ts";

const models = join(import.meta.dirname, "../../models");

type CaptureFields = NonNullable<Manifest["capture"]>;

export const EVERYTHING: CaptureFields = { rate: 1, redact: [], retentionDays: 30 };

/** The fields of a manifest that these tests change. */
interface Fields {
  capture?: CaptureFields;
  feedback?: Manifest["feedback"];
}

/** A folder with a shipped model whose manifest has these fields. Removed after the test. */
export async function capturingFolder(model: string, fields: Fields): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-capture-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await addCapturing(folder, model, fields);
  return folder;
}

/** Adds such a model to a folder. */
export async function addCapturing(folder: string, model: string, fields: Fields): Promise<void> {
  await mkdir(join(folder, model));
  await cp(join(models, model, "1"), join(folder, model, "1"), { recursive: true });
  const path = join(folder, model, "1/model.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as object;
  await writeFile(path, JSON.stringify({ ...manifest, ...fields }));
  await writeFile(join(folder, model, "release.json"), JSON.stringify({ stable: "1" }));
}

/** A service over the folder, and what it wrote to its log. */
export function openService(
  folder: string,
  change: (platform: Platform) => Partial<Platform> = () => ({}),
) {
  const logged: Record<string, unknown>[] = [];
  const platform: Platform = {
    ...createNodePlatform({ STORE: folder, ACCESS_LOG: "false" }),
    log: (entry) => void logged.push(entry),
  };
  const service = createService({ ...platform, ...change(platform) });
  const app = createApp(service);
  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const init = { method: "POST", body: JSON.stringify(body) };
    const type = { "Content-Type": "application/json" };
    return app.request(path, { ...init, headers: { ...type, ...headers } });
  };
  return { service, app, store: platform.store, post, logged };
}

/** All captured text of a model. */
export async function capturedText(store: Store, model: string): Promise<string> {
  const keys = (await store.list(capturedPrefix(model))).filter((key) => key.endsWith(".jsonl"));
  const texts = keys.map(async (key) => {
    const found = await store.get(key);
    return found && found !== "not-modified" ? new TextDecoder().decode(found.bytes) : "";
  });
  return (await Promise.all(texts)).join("");
}

export async function capturedInputs(store: Store, model: string): Promise<CapturedInput[]> {
  const lines = (await capturedText(store, model)).split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as CapturedInput);
}
