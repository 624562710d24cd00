import { cp } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { serve } from "@hono/node-server";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { deployAndAsk } from "../../cli/deploy/go-back.ts";
import type { Deployed } from "../../cli/deploy/types.ts";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/node.ts";
import { createService } from "../../functions/service.ts";
import { root, temporaryFolder } from "../cli/nearcast.ts";

const HOW = { tolerance: 1e-4 };

afterEach(() => void vi.restoreAllMocks());

/** A place of which the deployed version answers or fails, and the one before answers. */
async function place(now: "answers" | "fails", before?: "answers" | "cannot come back") {
  const store = await temporaryFolder();
  await cp(join(root, "models/iris"), join(store, "iris"), { recursive: true });
  const service = createService(createNodePlatform({ STORE: store, ACCESS_LOG: "false" }));
  const app = createApp(service);
  let answers = now === "answers";
  const goBack = vi.fn(async () => {
    if (before !== "answers") throw new Error("The tool cannot.");
    answers = true;
  });
  const url = await serveAt((request) =>
    answers ? app.fetch(request) : new Response("{}", { status: 500 }),
  );
  return { url, goBack, deployed: { url, goBack: before && goBack } satisfies Deployed };
}

async function serveAt(fetch: (request: Request) => Response | Promise<Response>): Promise<string> {
  const server = serve({ fetch, port: 0, hostname: "127.0.0.1" });
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Deploys to these places, then fails if there is an error. Gives what it says. */
function deploy(
  places: readonly Deployed[],
  error?: Error,
  url?: string,
  waitSeconds = 0,
): Promise<string> {
  vi.spyOn(console, "log").mockReturnValue();
  const run = async (deployed: Deployed[]) => {
    deployed.push(...places);
    if (error) throw error;
  };
  return deployAndAsk({ run }, { ...HOW, waitSeconds, ...(url && { url }) }).then(
    () => "It answers.",
    ({ message }: Error) => message,
  );
}

test("places that answer stay", async () => {
  const one = await place("answers", "answers");
  expect(await deploy([one.deployed])).toBe("It answers.");
  expect(one.goBack).not.toHaveBeenCalled();
});

test("a new place that cannot go back keeps no other from it", async () => {
  const [old, fresh] = [await place("answers", "answers"), await place("fails")];
  const said = await deploy([old.deployed, fresh.deployed]);
  expect(old.goBack).toHaveBeenCalledOnce();
  expect(said).toContain(`What is new at ${fresh.url} stays: there is nothing to go back to.`);
  expect(said).toMatch(/What was deployed before answers again\.$/);
});

test("one whose way back fails keeps no other from it", async () => {
  const [stuck, other] = [
    await place("fails", "cannot come back"),
    await place("fails", "answers"),
  ];
  const said = await deploy([stuck.deployed, other.deployed]);
  expect(other.goBack).toHaveBeenCalledOnce();
  expect(said).toContain(`What is new at ${stuck.url} stays: The tool cannot.`);
  expect(said).toMatch(/What was deployed before answers again\.$/);
});

test("where the second place cannot be deployed to, the first goes back", async () => {
  const first = await place("answers", "answers");
  const said = await deploy([first.deployed], new Error("osls deploy ended with 1."));
  expect(first.goBack).toHaveBeenCalledOnce();
  expect(said).toBe("osls deploy ended with 1. What was deployed before answers again.");
});

test("what has no known address is not asked, and stays", async () => {
  const one = await place("answers", "answers");
  const unknown = { ...one.deployed, url: undefined };
  expect(await deploy([unknown])).toMatch(/It is deployed, and was not asked: say with --url/);
  expect(one.goBack).not.toHaveBeenCalled();
  expect(await deploy([unknown], undefined, one.url)).toBe("It answers.");
});

const DEPLOYMENTS = ["old", "new"] as const;

/** A place where `isOld` says which requests, by their number from 1 on, the old deployment still answers. */
async function propagating(isOld: (request: number) => boolean) {
  const STORE = await temporaryFolder();
  await cp(join(root, "models/iris"), join(STORE, "iris"), { recursive: true });
  const [old, fresh] = DEPLOYMENTS.map((DEPLOYMENT_ID) => {
    const platform = createNodePlatform({ STORE, ACCESS_LOG: "false", DEPLOYMENT_ID });
    return createApp(createService(platform));
  });
  let requests = 0;
  let isBack = false;
  const goBack = vi.fn(async () => void (isBack = true));
  const url = await serveAt((request) => {
    const app = isBack || isOld(++requests) ? old : fresh;
    return app?.fetch(request) ?? new Response("{}", { status: 500 });
  });
  return { url, goBack, deployed: { url, id: "new", goBack } satisfies Deployed };
}

test("an old deployment that still answers is waited for", async () => {
  // /ready was answered by the new one already.
  const one = await propagating((request) => request === 2);
  expect(await deploy([one.deployed], undefined, undefined, 10)).toBe("It answers.");
  expect(one.goBack).not.toHaveBeenCalled();
});

test("where the new one never answers, the old one's right answers do not count", async () => {
  const one = await propagating(() => true);
  const said = await deploy([one.deployed], undefined, undefined, 0.6);
  expect(said).toContain(`${one.url} is answered by old, and not by new.`);
  expect(said).toMatch(/What was deployed before answers again\.$/);
  expect(one.goBack).toHaveBeenCalledOnce();
});

test("a way back that leaves the new one there is none", async () => {
  const one = await propagating(() => false);
  one.goBack.mockResolvedValue(undefined);
  const said = await deploy([{ ...one.deployed, released: async () => new Map() }]);
  expect(said).toMatch(/is back, and fails too\. .* is still answered by new\.$/);
});

test("what the store has released must answer", async () => {
  const one = await propagating(() => false);
  const released = vi.fn(async () => new Map([["iris", "2"]]));
  const said = await deploy([{ ...one.deployed, released }]);
  expect(said).toContain("has released iris@1, and its store iris@2.");
  // The release shows while this waits.
  released.mockResolvedValueOnce(new Map([["iris", "2"]]));
  released.mockResolvedValue(new Map([["iris", "1"]]));
  const again = await propagating(() => false);
  expect(await deploy([{ ...again.deployed, released }], undefined, undefined, 10)).toBe(
    "It answers.",
  );
});
