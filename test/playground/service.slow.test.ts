import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Route } from "playwright-core";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { apiKey, keyList } from "../auth/keys.ts";
import { browserPath, useBrowserAndServer } from "../harness/browser.ts";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";
import { openPage, predict } from "./open-page.ts";

describe.skipIf(!browserPath)("in a browser, while the service changes", () => {
  const its = useBrowserAndServer();

  test("a key is asked for, kept in the tab only, and forgotten", async () => {
    const { key, entry } = apiKey("web", { scopes: ["read", "predict"] });
    const { url } = await start({ API_KEYS: keyList({ entry }) });
    const page = await openPage(its.browser, `${url}/playground/iris`, { expected: /401/ });
    const field = page.getByLabel("API key or token");
    await field.fill("wrong");
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByText("The service does not take this key.").waitFor();
    await field.fill(key);
    await field.press("Enter");
    const answer = await predict(page);
    expect(await answer.locator(".headline").innerText()).toMatch(/^setosa/);
    const code = await page.locator(".code pre").innerText();
    expect(code).toContain('-H "Authorization: Bearer $KEY"');
    expect(code).not.toContain(key);
    await page.reload();
    await predict(page);
    const kept = () =>
      page.evaluate(
        "JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie])",
      );
    expect(await kept()).toContain(`"${key}"},{},""]`);
    await page.getByRole("button", { name: "Forget it" }).click();
    await field.waitFor();
    expect(await kept()).toBe('[{},{},""]');
    const other = await openPage(its.browser, url, { expected: /401/ });
    await other.getByLabel("API key or token").waitFor();
  });

  test("without a network it says so, and with one again it answers", async () => {
    const page = await openPage(its.browser, `${its.server.url}/playground/iris`, {
      expected: /ERR_INTERNET_DISCONNECTED/,
    });
    await page.getByRole("button", { name: "Predict" }).waitFor();
    await page.context().setOffline(true);
    await page.getByRole("button", { name: "Predict" }).click();
    await page.getByText("There is no answer.").waitFor();
    await page.context().setOffline(false);
    await predict(page);
    expect(await page.getByText("There is no answer.").count()).toBe(0);
  });

  test("who asks too often is told when to come back", async () => {
    const { url } = await start({ RATE_LIMIT: "9/60s" });
    const page = await openPage(its.browser, `${url}/playground/iris`, { expected: /429/ });
    const alert = page.getByRole("alert");
    await vi.waitFor(
      async () => {
        await page.getByRole("button", { name: "Predict" }).click();
        expect(await alert.innerText({ timeout: 500 })).toMatch(
          /rate_limited.*Try again in \d+ s/s,
        );
      },
      { timeout: 30_000, interval: 10 },
    );
  });

  test("a newer question wins over an older one, and the older one is ended", async () => {
    const page = await openPage(its.browser, `${its.server.url}/playground/sentiment`, {
      expected: /ERR_ABORTED|ERR_FAILED/,
    });
    const held: Route[] = [];
    await page.route("**/predict", (route) => {
      if (held.push(route) > 1) return route.continue();
    });
    const text = page.getByLabel("Text", { exact: true });
    await text.fill("Terrible. Do not buy it.");
    await page.getByRole("button", { name: "Predict" }).click();
    await vi.waitFor(() => expect(held.length).toBe(1), 30_000);
    await text.fill("Great phone.");
    const answer = await predict(page);
    expect(await answer.locator(".headline").innerText()).toMatch(/^positive/);
    await held[0]?.continue().catch(() => undefined);
    await page.waitForLoadState("networkidle");
    expect(await answer.locator(".headline").innerText()).toMatch(/^positive/);
    expect(held[0]?.request().failure()?.errorText).toMatch(/ERR_ABORTED|NS_BINDING_ABORTED/);
  });

  test("a question is stopped", async () => {
    const page = await openPage(its.browser, `${its.server.url}/playground/iris`);
    await page.route("**/predict", () => undefined);
    await page.getByRole("button", { name: "Predict" }).click();
    await page.getByRole("button", { name: "Stop" }).click();
    expect(await page.getByRole("button", { name: "Stop" }).count()).toBe(0);
    expect(await page.getByRole("alert").count()).toBe(0);
  });

  test("two versions answer side by side", async () => {
    const page = await openPage(its.browser, `${its.server.url}/playground/digits`);
    await page.getByText("Parameters and versions").click();
    const versions = page.getByLabel("Version", { exact: true }).getByRole("option");
    expect(await versions.allTextContents()).toEqual([
      "The one that is released",
      "1, released",
      "2",
    ]);
    await page.getByLabel("Beside it").selectOption("2");
    await page.getByLabel("Parameters as JSON").fill('{"top_k": 3}');
    await predict(page);
    const second = page.getByRole("region", { name: "Answer of 2" });
    await second.getByText("Request").waitFor();
    expect(await second.innerText()).toMatch(/Version\s+2/);
    expect(await second.getByRole("row").count()).toBe(3);
  });

  test("a release while the page is open is seen, and the form is the new version's", async () => {
    const store = await mkdtemp(join(tmpdir(), "nearcast-playground-"));
    onTestFinished(() => rm(store, { recursive: true }));
    await cp("models/iris", join(store, "iris"), { recursive: true });
    await cp("models/iris/1", join(store, "iris/2"), { recursive: true });
    const path = join(store, "iris/2/model.json");
    const manifest = JSON.parse(await readFile(path, "utf8")) as { features: { unit: string }[] };
    const features = manifest.features.map((feature) => ({ ...feature, unit: "centimetre" }));
    await writeFile(path, JSON.stringify({ ...manifest, version: "2", features }));
    const { url } = await start({ STORE: store, RELEASE_TTL_SECONDS: "1" });
    const page = await openPage(its.browser, `${url}/playground/iris`);
    await page.getByLabel("petal_width (cm)").fill("0.3");
    await predict(page);
    await writeFile(join(store, "iris/release.json"), '{"stable":"2"}');
    const notice = page.getByText("Version 2 was released while this page was open.");
    await vi.waitFor(
      async () => {
        await predict(page);
        expect(await notice.count()).toBe(1);
      },
      { timeout: 30_000, interval: 200 },
    );
    expect(await page.getByLabel("petal_width (centimetre)").inputValue()).toBe("0.3");
  });
});

async function start(env: Record<string, string>): Promise<NodeServer> {
  const own = await startNodeServer({ env });
  onTestFinished(async () => void (await own.stop()));
  return own;
}
