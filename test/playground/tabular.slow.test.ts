import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { brokenRules, browserPath, useBrowserAndServer, WIDTHS } from "../harness/browser.ts";
import { openPage, predict } from "./open-page.ts";

const run = promisify(execFile);

describe.skipIf(!browserPath)("in a browser", () => {
  const its = useBrowserAndServer();

  test("features are asked for with units and ranges, and the answer has a bar for each label", async () => {
    const page = await openPage(its.browser, `${its.server.url}/playground/iris`);
    const length = page.getByLabel("sepal_length (cm)");
    expect(await length.inputValue()).toBe("4.8");
    expect(await length.getAttribute("aria-describedby")).not.toBeNull();
    await page.getByLabel("petal_length (cm)").fill("5.9");
    await page.getByLabel("petal_width (cm)").fill("2.1");
    const answer = await predict(page);
    expect(await answer.locator(".headline").innerText()).toMatch(/^virginica \d/);
    expect(await answer.getByRole("row").count()).toBe(3);
    expect(await page.getByRole("status").first().innerText()).toMatch(
      /^Version 1 has answered: virginica/,
    );
    expect(await answer.innerText()).toMatch(/Version\s+1\s+Time\s+\d+ ms here\s+Server\s+read \d/);
  });

  test("a number has its unit, and the keyboard alone is enough", async () => {
    const page = await openPage(its.browser, `${its.server.url}/playground/diabetes`);
    await page.getByLabel("age (years)").focus();
    await page.keyboard.press("Enter");
    const value = page.locator(".answer .headline");
    await value.waitFor();
    expect(await value.innerText()).toMatch(/^\d+(\.\d+)?$/);
  });

  test("what is wrong is said at its field", async () => {
    const page = await openPage(its.browser, `${its.server.url}/playground/iris`, {
      expected: /422/,
    });
    const length = page.getByLabel("sepal_length (cm)");
    await length.fill("long");
    await page.getByLabel("petal_width (cm)").fill("99");
    await page.getByRole("button", { name: "Predict" }).click();
    await page.getByText("must be a number").first().waitFor();
    expect(await length.getAttribute("aria-invalid")).toBe("true");
    const field = page.locator(".field", { has: page.getByLabel("petal_width (cm)") });
    expect(await field.locator(".mistake").innerText()).toBe("must be at most 20 cm");
    expect(await page.getByRole("alert").innerText()).toContain("invalid_input");
    expect(await brokenRules(page)).toEqual({});
    await length.fill("4.8");
    await page.getByLabel("petal_width (cm)").fill("0.1");
    await predict(page);
    expect(await page.locator(".mistake").count()).toBe(0);
  });

  test.for(["curl", "Python"] as const)(
    "the same call in %s has the same answer",
    async (language) => {
      const page = await openPage(its.browser, `${its.server.url}/playground/iris`);
      await page.getByRole("button", { name: language, exact: true }).click();
      const code = await page.locator(".code pre").innerText();
      const [command, flag] = language === "curl" ? ["sh", "-c"] : ["python3", "-c"];
      const { stdout } = await run(command, [flag, code]);
      expect(stdout).toMatch(/['"]label['"]: ?['"]setosa['"]/);
    },
  );

  test.for(
    WIDTHS.flatMap((width) =>
      (["light", "dark"] as const).map((scheme) => [width, scheme] as const),
    ),
  )("nobody is kept out, %i pixels wide and %s", async ([width, colorScheme]) => {
    const viewport = { width, height: 900 };
    const page = await openPage(its.browser, its.server.url, { viewport, colorScheme });
    await page.getByRole("link", { name: "iris" }).click();
    await predict(page);
    await page.getByText("Parameters and versions").click();
    await page.getByText("JSON", { exact: true }).last().click();
    expect(await brokenRules(page)).toEqual({});
  });

  test("360 pixels are enough", async () => {
    const viewport = { width: 360, height: 700 };
    const page = await openPage(its.browser, `${its.server.url}/playground/iris`, { viewport });
    await predict(page);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(360);
  });

  test("the first load is under 100 kB, and all of it from the service", async () => {
    const page = await openPage(its.browser, `${its.server.url}/playground/iris`);
    await page.getByLabel("sepal_length (cm)").waitFor();
    const loaded = (await page.evaluate(
      `[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
        .map(({ name, transferSize }) => ({ name, transferSize }))`,
    )) as { name: string; transferSize: number }[];
    expect(loaded.length).toBeGreaterThan(4);
    for (const { name } of loaded) expect(name.startsWith(its.server.url), name).toBe(true);
    const bytes = loaded.reduce((sum, { transferSize }) => sum + transferSize, 0);
    console.log(`The playground's first load: ${bytes} bytes`);
    expect(bytes).toBeLessThan(100_000);
  });
});
