import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Webhook } from "standardwebhooks";
import { describe, expect, onTestFinished, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createWebhookPost } from "../../functions/platform/webhook-post.ts";
import { createService } from "../../functions/service.ts";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";
import { startReceiver, secretOf } from "./receiver.ts";
import { hasSqlite } from "../harness/has-sqlite.ts";

const SECRET = secretOf("a");
const SETOSA = [5.1, 3.5, 1.4, 0.2];
const LIMIT_MS = 120_000;
const root = join(import.meta.dirname, "../..");

interface Shown {
  status: string;
  webhook: { tries: number; error?: string; delivered_at?: string; next_try_at?: string };
}

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-webhooks-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** The app, which takes its jobs by itself, as a server's does. */
async function startApp(host: string) {
  const env = {
    STORE: "models",
    ACCESS_LOG: "false",
    JOBS_FILE: join(await temporary(), "jobs.sqlite"),
    WEBHOOK_HOSTS: host,
    WEBHOOK_SECRET: SECRET,
  };
  const service = createService({ ...createNodePlatform(env), log: () => {} });
  onTestFinished(() => service.jobs?.end());
  const app = createApp(service);
  return {
    app,
    put: async (id: string, webhook: string) =>
      app.request(`/v1/jobs/${id}`, {
        method: "PUT",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ model: "iris", inputs: SETOSA, webhook }),
      }),
    shown: async (id: string) => (await (await app.request(`/v1/jobs/${id}`)).json()) as Shown,
  };
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(50);
}

describe.runIf(hasSqlite)("webhooks of a server", () => {
  test(
    "a receiver that hangs delays no job and no other receiver, and the try ends",
    async () => {
      const hanging = await startReceiver({ respond: () => {} });
      const good = await startReceiver();
      const { put, shown } = await startApp(`${hanging.host},${good.host}`);
      const ids = Array.from({ length: 40 }, (_, index) => `hang-${index}`);
      for (const id of ids) expect((await put(id, hanging.url)).status).toBe(202);
      await put("good", good.url);
      await until(async () => (await shown("good")).webhook.delivered_at !== undefined);
      // All jobs before it have ended, and no try has.
      for (const id of ids) expect((await shown(id)).status).toBe("succeeded");
      expect(hanging.received.length).toBeGreaterThan(0);
      expect(hanging.received.length).toBeLessThanOrEqual(16);
      await until(async () => (await shown("hang-0")).webhook.error !== undefined);
      expect((await shown("hang-0")).webhook).toMatchObject({
        tries: 1,
        error: "it did not answer within 10 s",
        next_try_at: expect.any(String) as string,
      });
    },
    LIMIT_MS,
  );

  test(
    "a server that is killed between two tries, and in one, tells at least once, with one id",
    async () => {
      const statuses = [500, 0];
      const receiver = await startReceiver({
        respond(_request, response) {
          const status = statuses.shift() ?? 204;
          // The second try has no answer.
          if (status > 0) response.writeHead(status).end();
        },
      });
      const folder = await temporary();
      let server: NodeServer | undefined;
      onTestFinished(async () => void (await server?.stop()));
      const start = () =>
        startNodeServer({
          env: {
            STORE: "models",
            JOBS_FILE: join(folder, "jobs.sqlite"),
            WEBHOOK_HOSTS: receiver.host,
            WEBHOOK_SECRET: SECRET,
          },
        });
      server = await start();
      const made = await server.fetch("/v1/jobs/killed", {
        method: "PUT",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ model: "iris", inputs: SETOSA, webhook: receiver.url }),
      });
      expect(made.status).toBe(202);
      for (const tries of [1, 2]) {
        await until(() => receiver.received.length === tries);
        if (tries === 1) await sleep(500);
        process.kill(server.pid, "SIGKILL");
        await server.stop();
        server = await start();
      }
      await until(() => receiver.received.length === 3);
      await sleep(500);
      const shown = (await (await server.fetch("/v1/jobs/killed")).json()) as Shown;
      expect(shown).toMatchObject({ status: "succeeded", webhook: { tries: 3 } });
      expect(shown.webhook.delivered_at).toEqual(expect.any(String));
      const { received } = receiver;
      expect(new Set(received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
      expect(new Set(received.map(({ body }) => body)).size).toBe(1);
      for (const { headers, body } of received)
        new Webhook(SECRET).verify(body, headers as Record<string, string>);
    },
    LIMIT_MS,
  );

  test(
    "the receiver in the docs takes a message, and refuses one that was changed",
    async () => {
      const docs = await readFile(join(root, "docs/jobs.md"), "utf8");
      const [, code = ""] = /```js\n(.*?)```/s.exec(docs) ?? [];
      const free = await startReceiver();
      const port = String(free.port + 1);
      const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
        cwd: root,
        env: { PATH: process.env["PATH"], WEBHOOK_SECRET: SECRET, PORT: port },
      });
      onTestFinished(() => void child.kill());
      let printed = "";
      child.stdout.on("data", (part: Buffer) => (printed += part.toString()));
      const url = `http://localhost:${port}/jobs`;
      await until(() =>
        fetch(url, { method: "POST", body: "{}" }).then(
          ({ status }) => status === 401,
          () => false,
        ),
      );
      const { put, shown } = await startApp(`localhost:${port}`);
      await put("documented", url);
      await until(async () => (await shown("documented")).webhook.delivered_at !== undefined);
      expect(printed).toBe("job.succeeded /v1/jobs/documented\n");
    },
    LIMIT_MS,
  );

  test(
    "the description of the API with webhooks is valid",
    async () => {
      const { app } = await startApp("hooks.example.com");
      const document = (await (await app.request("/openapi.json")).json()) as object;
      expect(document).toMatchObject({
        webhooks: { jobEnded: { post: {} }, batchEnded: { post: {} } },
      });
      const { valid, errors } = await new Validator().validate({ ...document });
      expect(errors).toBeUndefined();
      expect(valid).toBe(true);
    },
    LIMIT_MS,
  );
});

/** A certificate for localhost, with its key. Undefined without OpenSSL. */
function makeCertificate(folder: string): { key: string; cert: string } | undefined {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const self = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  try {
    const files = ["-nodes", "-days", "1", "-keyout", key, "-out", cert];
    execFileSync("openssl", [...self, ...files, ...subject], { stdio: "ignore" });
    return { key, cert };
  } catch {
    return undefined;
  }
}

test("the certificate must be that of the host's name, though the connection goes to an address", async ({
  skip,
}) => {
  const files = makeCertificate(await temporary());
  if (!files) return skip("There is no openssl.");
  const [key, cert] = await Promise.all([
    readFile(files.key, "utf8"),
    readFile(files.cert, "utf8"),
  ]);
  const names: string[] = [];
  const server = createServer({ key, cert }, (_request, response) => {
    response.writeHead(204).end();
  });
  server.on("secureConnection", (socket) => names.push(String(socket.servername)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const { post } = createWebhookPost(async () => [{ address: "127.0.0.1", family: 4 }]);
  const send = (host: string) =>
    post({ url: new URL(`https://${host}:${port}/`), headers: {}, body: "{}" });
  await expect(send("localhost")).rejects.toThrow(/SELF_SIGNED/);
  const usual = getCACertificates("default");
  onTestFinished(() => setDefaultCACertificates(usual));
  setDefaultCACertificates([cert]);
  expect(await send("localhost")).toMatchObject({ status: 204 });
  expect(names.at(-1)).toBe("localhost");
  await expect(send("127.0.0.1")).rejects.toThrow(/ALTNAME/);
});
