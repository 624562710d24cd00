import { expect, test } from "vitest";
import { isPublicAddress } from "../../functions/platform/public-address.ts";
import { webhookFetch } from "../../functions/platform/webhook-fetch.ts";
import { createWebhookPost } from "../../functions/platform/webhook-post.ts";
import { sendNotice } from "../../functions/rollout/notice.ts";
import { allowedHost, refusalOf } from "../../functions/webhooks/allowed-hosts.ts";
import { webhookSecrets } from "../../functions/webhooks/secrets.ts";
import { startReceiver } from "./receiver.ts";

/** Addresses that are not of the internet, or may stand for one that is not. */
const INSIDE = [
  "0.0.0.0",
  "0.1.2.3",
  "10.0.0.1",
  "100.64.0.1",
  "100.100.100.200",
  "127.0.0.1",
  "127.255.0.1",
  "168.63.129.16",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.192",
  "192.0.2.1",
  "192.88.99.1",
  "192.168.0.1",
  "198.18.0.1",
  "198.51.100.1",
  "203.0.113.1",
  "224.0.0.1",
  "240.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::7f00:1",
  "::ffff:10.0.0.1",
  "::ffff:8.8.8.8",
  "::ffff:0:10.0.0.1",
  "64:ff9b::a00:1",
  "64:ff9b:1::a00:1",
  "100::1",
  "2001::1",
  "2001:db8::1",
  "2002:a00:1::",
  "3fff::1",
  "5f00::1",
  "fc00::1",
  "fd00:ec2::254",
  "fe80::1",
  "fe80::1%eth0",
  "fec0::1",
  "ff02::1",
  "4000::1",
  "no address",
];

const OUTSIDE = ["1.1.1.1", "93.184.216.34", "172.32.0.1", "2606:4700::1111", "2a00:1450::1"];

/** Forms of addresses inside the network that URLs take. */
const URLS = [
  "https://127.0.0.1/",
  "https://127.1/",
  "https://2130706433/",
  "https://0x7f.1/",
  "https://0177.0.0.1/",
  "https://0/",
  "https://①②⑦.0.0.1/",
  "https://[::1]/",
  "https://[0:0:0:0:0:0:0:1]/",
  "https://[::ffff:127.0.0.1]/",
  "https://[::127.0.0.1]/",
  "https://[fe80::1]/",
  "https://[64:ff9b::7f00:1]/",
  "https://10.0.0.1/",
  "https://169.254.169.254/latest/meta-data/",
  "https://8.8.8.8/",
  "https://localhost/",
  "https://LOCALHOST/",
];

const message = (url: string) => ({ url: new URL(url), headers: {}, body: "{}" });
const families = (addresses: readonly string[]) =>
  addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));

test("only addresses of the internet are public", () => {
  expect(INSIDE.filter(isPublicAddress)).toEqual([]);
  expect(OUTSIDE.filter(isPublicAddress)).toEqual(OUTSIDE);
});

test("a host with any address inside the network is refused, before anything is sent", async () => {
  for (const address of INSIDE) {
    const { post, isInside } = createWebhookPost(async () => families(["1.1.1.1", address]));
    expect([address, await isInside("hooks.example.com")]).toEqual([address, true]);
    await expect(post(message("https://hooks.example.com/"))).rejects.toThrow(/inside the network/);
  }
  const { isInside } = createWebhookPost(async () => families(OUTSIDE));
  expect(await isInside("hooks.example.com")).toBe(false);
});

test("addresses in URLs are refused in every form, whatever names are allowed", async () => {
  const all = [allowedHost.parse("*"), allowedHost.parse("*.example.com")];
  for (const url of URLS) expect([url, refusalOf(url, all)]).toEqual([url, expect.any(String)]);
  expect(refusalOf("https://a.b.example.com/", all)).toBeUndefined();
  // One that is listed by itself passes, and still must not be inside the network.
  expect(refusalOf("https://10.1/", [allowedHost.parse("10.0.0.1")])).toBeUndefined();
  const { post, isInside } = createWebhookPost();
  for (const host of ["10.0.0.1", "[::ffff:7f00:1]", "[fd00::1]", "169.254.169.254"]) {
    expect([host, await isInside(host)]).toEqual([host, true]);
    await expect(post(message(`https://${host}/`))).rejects.toThrow(/inside the network/);
  }
});

test("a name that changes its address after the check is refused, and nobody is asked", async () => {
  const receiver = await startReceiver();
  const answers = [["93.184.216.34"], ["127.0.0.1"]];
  const { post, isInside } = createWebhookPost(async () => families(answers.shift() ?? []));
  expect(await isInside("rebinds.example.com")).toBe(false);
  const url = `http://rebinds.example.com:${receiver.port}/`;
  await expect(post(message(url))).rejects.toThrow(/inside the network/);
  expect(receiver.received).toEqual([]);
});

test("the connection goes to the address that was checked: the name is resolved once", async () => {
  const receiver = await startReceiver();
  let lookups = 0;
  const { post } = createWebhookPost(async () => {
    lookups++;
    return families(["127.0.0.1"]);
  });
  const answer = await post(message(`http://localhost:${receiver.port}/`));
  expect(answer).toEqual({ status: 204, retryAfter: undefined });
  expect(lookups).toBe(1);
  expect(receiver.received[0]?.headers.host).toBe(`localhost:${receiver.port}`);
  // Nobody listens there, though the machine's own names lead to the receiver.
  const other = createWebhookPost(async () => families(["::1"]));
  await expect(other.post(message(`http://localhost:${receiver.port}/`))).rejects.toThrow(
    /cannot be reached/,
  );
  expect(receiver.received).toHaveLength(1);
});

test.for([
  ["from Node", createWebhookPost()],
  ["from Workers", webhookFetch],
] as const)(
  "redirects are not followed, and answers without end are not read, %s",
  async ([, { post }]) => {
    const elsewhere = await startReceiver();
    const redirecting = await startReceiver({
      statuses: [307],
      headers: { Location: elsewhere.url },
    });
    expect(await post(message(redirecting.url))).toMatchObject({ status: 307 });
    expect(elsewhere.received).toEqual([]);

    let sent = 0;
    const endless = await startReceiver({
      respond(_request, response) {
        response.writeHead(200);
        const more = () => {
          while (!response.destroyed && response.write("x".repeat(65_536))) sent++;
          if (!response.destroyed) response.once("drain", more);
        };
        more();
      },
    });
    expect(await post(message(endless.url))).toMatchObject({ status: 200 });
    const before = sent;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(sent - before).toBeLessThan(200);
  },
);

test("a rollout's notice passes the same check", async () => {
  const { post } = createWebhookPost(async () => families(["10.0.0.1"]));
  for (const url of ["https://10.0.0.1/", "https://[::ffff:a00:1]/", "https://inside.example.com/"])
    await expect(sendNotice(post, url, "iris-1", {}, [])).rejects.toThrow(/inside the network/);
  const receiver = await startReceiver();
  await sendNotice(createWebhookPost().post, receiver.url, "iris-1", { model: "iris" }, []);
  const [told] = receiver.received;
  expect(told?.headers).toMatchObject({ "webhook-id": "msg_iris-1" });
  expect(told?.headers).not.toHaveProperty("webhook-signature");
  expect(told?.body).toBe('{"model":"iris"}');
});

test("hosts and secrets that cannot be meant are refused, without showing a secret", () => {
  for (const host of [
    "https://example.com",
    "example.com/path",
    "user@example.com",
    "ex ample.com",
    "*example.com",
    "a.*.com",
    "example.com:port",
    "",
  ])
    expect([host, allowedHost.safeParse(host).success]).toEqual([host, false]);
  expect(allowedHost.parse("[0::1]:9000")).toEqual({ name: "[::1]", port: 9000 });
  expect(allowedHost.parse("Bücher.example")).toEqual({ name: "xn--bcher-kva.example" });

  const short = `whsec_${Buffer.from("too short").toString("base64")}`;
  for (const secret of ["secret", short, `{"web": "${short}"}`, "{", '{"web": 5}', "whsec_%"]) {
    const { success, error } = webhookSecrets.safeParse(secret);
    expect([secret, success]).toEqual([secret, false]);
    expect(error?.message).not.toContain(short);
  }
  expect(webhookSecrets.parse("ssm:/nearcast/webhooks")).toEqual({
    secretName: "/nearcast/webhooks",
  });
});
