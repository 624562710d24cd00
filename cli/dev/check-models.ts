import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { packageFiles, type Manifest } from "../../functions/model/manifest.ts";
import { plainIssue } from "../../functions/plain-issue.ts";
import { pointerKind } from "../../functions/platform/onnx/file-kind.ts";
import { projectTasks } from "../project.ts";
import { MANIFEST_FILE } from "../package-folder.ts";
import { filesOfModels } from "../local/models.ts";
import { readText } from "../read-text.ts";

/** The problems of a models folder, a line each: file, path in the manifest, message. */
export async function problemsOfModels(models: string): Promise<string[]> {
  const keys = await filesOfModels(models).catch(() => []);
  const problems: string[] = [];
  const released = new Set<string>();
  const complete = new Set<string>();
  for (const key of keys) {
    const [name = "", version = "", file] = key.split("/");
    if (file === undefined) released.add(name);
    if (file !== MANIFEST_FILE) continue;
    const found = await problemsOfVersion(join(models, name, version), name, version);
    problems.push(...found);
    if (found.length === 0) complete.add(`${name}@${version}`);
  }
  for (const version of complete) {
    const [name = ""] = version.split("@");
    if (!released.has(name))
      problems.push(
        `${join(models, name)}: nothing is released, so ${name} answers only where its version is named. To release one: npx nearcast release ${version}`,
      );
  }
  return problems;
}

async function problemsOfVersion(folder: string, name: string, version: string): Promise<string[]> {
  const path = relative("", join(folder, MANIFEST_FILE));
  const tasks = await projectTasks();
  let manifest: Manifest;
  try {
    manifest = tasks.parseManifest(await readText(join(folder, MANIFEST_FILE)));
  } catch (error) {
    return linesOf((error as Error).message).map((line) => `${path}: ${line}`);
  }
  if (manifest.name !== name || manifest.version !== version)
    return [
      `${path}: it names itself ${manifest.name}@${manifest.version}, and lies in the folder of ${name}@${version}`,
    ];
  const problems: string[] = [];
  for (const { file, sha256, bytes } of packageFiles(manifest)) {
    const content = await readFile(join(folder, file)).catch(() => undefined);
    const pointer = content?.byteLength === bytes ? undefined : content && pointerKind(content);
    if (content === undefined) problems.push(`${path}: there is no file ${file} beside it`);
    else if (pointer) problems.push(`${path}: ${file} is ${pointer.what}. ${pointer.how}`);
    else if (content.byteLength !== bytes)
      problems.push(`${path}: ${file} has ${content.byteLength} bytes, not ${bytes}`);
    else if (createHash("sha256").update(content).digest("hex") !== sha256)
      problems.push(`${path}: ${file} has another sha256 than the one that is named`);
  }
  return problems;
}

/** zod prints a problem on one line and its path, where it has one, on the next. */
function linesOf(message: string): string[] {
  const lines: string[] = [];
  for (const line of message.split("\n")) {
    const at = /^\s*→ at (.*)$/.exec(line)?.[1];
    if (at !== undefined && lines.length > 0) lines.push(`${at}: ${lines.pop()}`);
    else lines.push(plainIssue(line.replace(/^✖ /, "").trim()));
  }
  return lines.filter((line) => line !== "");
}
