import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { expect, onTestFinished, test } from "vitest";
import { startWorker } from "../harness/worker.ts";
import { signingKey, startIssuer, token } from "./issuer.ts";

test("in workerd, a request that ends while it reads the issuer's keys takes nobody with it", async () => {
  const key = await signingKey("first");
  const issuer = await startIssuer(key);
  const directory = await mkdtemp(join(tmpdir(), "nearcast-auth-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  await build({
    entryPoints: [join(import.meta.dirname, "early-worker.ts")],
    outdir: directory,
    bundle: true,
    format: "esm",
    external: ["cloudflare:workers"],
    logLevel: "warning",
  });
  const worker = await startWorker({
    directory,
    compatibilityDate: "2026-10-20",
    vars: { JWKS: issuer.jwksUrl },
  });
  onTestFinished(async () => {
    await worker.stop();
    await issuer.close();
  });
  const ask = async (path: string) => {
    const response = await worker.fetch(path, { method: "POST", body: await token(key) });
    return response.text();
  };

  issuer.behave("stall");
  expect(await ask("/early")).toBe("early");
  await issuer.asked(0);
  const waiting = [ask("/"), ask("/")];
  // By then those two requests have arrived. They would start their own reading.
  expect(await ask("/early")).toBe("early");
  issuer.behave("ok");
  expect(await Promise.all(waiting)).toEqual(["jwt:user-1", "jwt:user-1"]);
  expect(issuer.requests()).toBe(1);
});
