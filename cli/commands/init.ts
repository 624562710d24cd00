import { mkdir, readdir, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { InvalidArgumentError, type Command } from "commander";
import { PLATFORMS, projectFiles, projectName, type PlatformName } from "../init/project.ts";

interface Flags {
  platform: PlatformName[];
}

/** `nearcast init <folder>`. */
export function initCommand(program: Command): void {
  program
    .command("init <folder>")
    .description(
      "make a project that serves models: entries, one example model, a test, a workflow",
    )
    .option("--platform <names>", `of ${PLATFORMS.join(",")}`, platforms, [...PLATFORMS])
    .action(async (folder: string, flags: Flags) => {
      await checkEmpty(folder);
      const name = projectName(basename(resolve(folder)));
      for (const [path, content] of projectFiles({ name, platforms: flags.platform })) {
        const file = join(folder, path);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, content);
      }
      console.log(`${name} is in ${folder}. Next: cd ${folder} && npm install && npm start`);
    });
}

async function checkEmpty(folder: string): Promise<void> {
  const found = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    if (error.code === "ENOTDIR") throw new Error(`${folder} is a file. Name a new folder.`);
    throw error;
  });
  // A fresh clone of an empty repository counts as an empty folder.
  const other = found.find((entry) => entry !== ".git");
  if (other !== undefined)
    throw new Error(
      `${folder} is not empty: it has ${other}. Nothing was written. Name a new folder, or one that is empty.`,
    );
}

function platforms(text: string): PlatformName[] {
  const names = text.split(",").map((name) => name.trim());
  for (const name of names)
    if (!(PLATFORMS as readonly string[]).includes(name))
      throw new InvalidArgumentError(
        `${JSON.stringify(name)} is no platform; they are ${PLATFORMS.join(", ")}.`,
      );
  return PLATFORMS.filter((platform) => names.includes(platform));
}
