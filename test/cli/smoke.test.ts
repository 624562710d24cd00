import { cp, readFile, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { serve } from "@hono/node-server";
import { expect, onTestFinished, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/node.ts";
import { createService } from "../../functions/service.ts";
import { nearcast, root, succeed, temporaryFolder } from "./nearcast.ts";

/** A deployment of `iris`, whose manifest is changed, in this process. */
async function deployment(change: (text: string) => string = (text) => text): Promise<string> {
  return (await deploy(change)).url;
}

async function deploy(change: (text: string) => string = (text) => text) {
  const store = await temporaryFolder();
  await cp(join(root, "models/iris"), join(store, "iris"), { recursive: true });
  const manifest = join(store, "iris/1/model.json");
  await writeFile(manifest, change(await readFile(manifest, "utf8")));
  const service = createService(
    createNodePlatform({ STORE: store, ACCESS_LOG: "false", DEPLOYMENT_ID: "v1.2" }),
  );
  const server = serve({ fetch: createApp(service).fetch, port: 0, hostname: "127.0.0.1" });
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, store };
}

test("a deployment that answers as recorded passes", async () => {
  const said = await succeed(["smoke", await deployment()]);
  expect(said).toBe("iris@1: 4 examples are answered as recorded\n");
});

test("one that answers otherwise fails, with what it answers", async () => {
  const url = await deployment((text) => text.replace('"label": "setosa"', '"label": "rose"'));
  const { code, stderr } = await nearcast(["smoke", url, "--wait", "0.1s"]);
  expect(stderr).toMatch(
    /iris@1 at .* answers otherwise than recorded: output.label is "setosa", not "rose"/,
  );
  expect(code).toBe(1);
});

test("so does one that cannot be reached, or has no URL", async () => {
  const away = await nearcast(["smoke", "http://127.0.0.1:9", "--wait", "0.1s"]);
  expect([away.code, away.stderr]).toEqual([1, expect.stringContaining("cannot be reached")]);
  const none = await nearcast(["smoke", ""]);
  expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("It is not a URL")]);
});

test("it can be told which deployment must answer, and with what", async () => {
  const { url, store } = await deploy();
  const now = ["--wait", "0.1s"];
  await succeed(["smoke", url, "--deployment", "v1.2", "--store", store, ...now]);
  const old = await nearcast(["smoke", url, "--deployment", "v1.3", ...now]);
  expect([old.code, old.stderr]).toEqual([
    1,
    expect.stringContaining(`${url} is answered by v1.2, and not by v1.3.`),
  ]);
  const other = await temporaryFolder();
  const empty = await nearcast(["smoke", url, "--store", other, ...now]);
  expect(empty.stderr).toContain("has released iris@1, and its store has released none");
});
