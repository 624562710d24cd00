import { renderToString } from "vue/server-renderer";
import { createSSRApp, effectScope, h, nextTick, reactive, ref } from "vue";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createClient, type Client } from "../../client/src/index.ts";
import { queryOptions, usePrediction } from "../../client/src/vue.ts";

let inputs: unknown[];
let signals: (AbortSignal | null | undefined)[];
let client: Client;
beforeEach(() => {
  vi.useFakeTimers();
  [inputs, signals] = [[], []];
  client = createClient("https://models.test", {
    async fetch(_, init) {
      const { inputs: input } = JSON.parse(init.body as string) as { inputs: unknown };
      inputs.push(input);
      signals.push(init.signal);
      await new Promise((resolve) => setTimeout(resolve, 100));
      return Response.json({ model: "m", version: "1", outputs: input });
    },
  });
});
afterEach(() => vi.useRealTimers());

test("asks about a reactive object whenever it changes, and ends with its scope", async () => {
  const flower = reactive({ length: 1 });
  const scope = effectScope();
  const { data, isPending, isPrevious } = scope.run(() =>
    usePrediction(client, "m", flower, { debounceMs: 200, keepPreviousData: true }),
  )!;
  await nextTick();
  expect(isPending.value).toBe(true);
  await vi.advanceTimersByTimeAsync(300);
  expect(data.value).toEqual({ length: 1 });
  flower.length = 2;
  expect([data.value, isPending.value, isPrevious.value]).toEqual([{ length: 1 }, true, true]);
  await vi.advanceTimersByTimeAsync(300);
  expect([data.value, isPending.value, isPrevious.value]).toEqual([{ length: 2 }, false, false]);
  flower.length = 3;
  await vi.advanceTimersByTimeAsync(250);
  scope.stop();
  expect(signals.map((signal) => signal?.aborted)).toEqual([false, false, true]);
});

test("takes refs, getters and options that change", async () => {
  const text = ref<string>();
  const version = ref("1");
  const scope = effectScope();
  const { data, predict } = scope.run(() =>
    usePrediction(
      client,
      () => "m",
      text,
      () => ({ version: version.value }),
    ),
  )!;
  await vi.advanceTimersByTimeAsync(1000);
  expect(inputs).toEqual([]);
  text.value = "a";
  await vi.advanceTimersByTimeAsync(1000);
  version.value = "2";
  await vi.advanceTimersByTimeAsync(1000);
  expect(inputs).toEqual(["a", "a"]);
  const answer = predict("pressed");
  await vi.advanceTimersByTimeAsync(1000);
  expect(await answer).toMatchObject({ outputs: "pressed" });
  expect(data.value).toBe("pressed");
  scope.stop();
});

test("asks nothing on a server, and shows there that an answer is awaited", async () => {
  const app = createSSRApp({
    setup() {
      const { isPending } = usePrediction(client, "m", "a");
      return () => h("p", String(isPending.value));
    },
  });
  expect(await renderToString(app)).toBe("<p>true</p>");
  await vi.advanceTimersByTimeAsync(1000);
  expect(inputs).toEqual([]);
});

test("the options of a query have a stable key and hand on the signal", async () => {
  const one = queryOptions(client, "m", { a: 1 }, { version: "2" });
  expect(one.queryKey).toEqual(queryOptions(client, "m", { a: 1 }, { version: "2" }).queryKey);
  expect(one.queryKey).not.toEqual(queryOptions(client, "m", { a: 1 }).queryKey);
  expect(one.queryKey.slice(0, 3)).toEqual(["nearcast", "https://models.test/", "m"]);
  const controller = new AbortController();
  const answer = one.queryFn({ signal: controller.signal });
  await vi.advanceTimersByTimeAsync(50);
  controller.abort();
  expect(signals[0]?.aborted).toBe(true);
  await vi.advanceTimersByTimeAsync(100);
  await answer.catch(() => undefined);
  expect(queryOptions(client, "m", null).enabled).toBe(false);
  expect(queryOptions(client, "m", 1, { enabled: false }).enabled).toBe(false);
});
