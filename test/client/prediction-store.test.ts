import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createClient, NearcastClientError, type Client } from "../../client/src/index.ts";
import { keyOf } from "../../client/src/prediction-key.ts";
import {
  createPredictionStore,
  questionOf,
  viewOf,
  type PredictionOptions,
} from "../../client/src/prediction-store.ts";

interface Asked {
  input: unknown;
  signal: AbortSignal | undefined | null;
  answer: (outputs: unknown) => void;
  fail: (error: Error) => void;
}

let asked: Asked[];
let client: Client;
beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  client = createClient("https://models.test", {
    fetch: (_, init) =>
      new Promise((resolve, reject) => {
        asked.push({
          input: (JSON.parse(init.body as string) as { inputs: unknown }).inputs,
          signal: init.signal,
          answer: (outputs) => resolve(Response.json({ model: "m", version: "1", outputs })),
          fail: reject,
        });
      }),
  });
});
afterEach(() => vi.useRealTimers());

/** A store with a listener, and what a hook would show of it. */
function mounted(options: PredictionOptions = {}) {
  const store = createPredictionStore<unknown, unknown>();
  let declared: ReturnType<typeof question>;
  const question = (input: unknown) => questionOf(client, "m", input, options);
  let leave = store.subscribe(() => undefined);
  return {
    store,
    question,
    get view() {
      return viewOf(store.getState(), declared);
    },
    render: (input: unknown) => (declared = question(input)),
    declare(input: unknown) {
      store.declare((declared = question(input)));
    },
    leave: () => leave(),
    enter: () => (leave = store.subscribe(() => undefined)),
  };
}

const later = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

describe("an input", () => {
  test("is asked once, however often it is declared", async () => {
    const page = mounted();
    for (let time = 0; time < 3; time += 1) page.declare({ a: 1 });
    await later();
    page.declare({ a: 1 });
    expect(page.view).toMatchObject({ data: undefined, isPending: true });
    asked[0]?.answer("first");
    await later();
    page.declare({ a: 1 });
    await later(1000);
    expect(asked.map(({ input }) => input)).toEqual([{ a: 1 }]);
    expect(page.view).toMatchObject({ data: "first", isPending: false, error: undefined });
    expect(page.view.prediction).toMatchObject({ version: "1" });
  });

  test("while it is typed, only the last one is asked", async () => {
    const page = mounted({ debounceMs: 200 });
    for (const text of ["g", "go", "goo"]) {
      page.declare(text);
      await later(199);
    }
    expect(asked).toEqual([]);
    expect(page.view.isPending).toBe(true);
    await later(1);
    expect(asked.map(({ input }) => input)).toEqual(["goo"]);
  });

  test("a newer one ends the request before, and a late answer changes nothing", async () => {
    const page = mounted();
    page.declare(1);
    await later();
    page.declare(2);
    await later();
    expect(asked[0]?.signal?.aborted).toBe(true);
    asked[1]?.answer("two");
    await later();
    asked[0]?.answer("one");
    await later();
    expect(page.view).toMatchObject({ data: "two", isPending: false });
  });

  test("a late error changes nothing either", async () => {
    const page = mounted();
    page.declare(1);
    await later();
    page.declare(2);
    await later();
    asked[0]?.fail(new TypeError("late"));
    await later();
    expect(page.view).toMatchObject({ error: undefined, isPending: true });
  });

  test("undefined, null and enabled: false ask nothing and show nothing", async () => {
    const page = mounted();
    page.declare(1);
    await later();
    asked[0]?.answer("one");
    await later();
    for (const nothing of [undefined, null]) {
      page.declare(nothing);
      await later(1000);
      expect(page.view).toMatchObject({ data: undefined, isPending: false });
    }
    expect(questionOf(client, "m", 1, { enabled: false })).toBeUndefined();
    expect(asked).toHaveLength(1);
  });

  test("taken back while it is asked, ends the request", async () => {
    const page = mounted();
    page.declare(1);
    await later();
    page.declare(undefined);
    expect(asked[0]?.signal?.aborted).toBe(true);
    expect(page.view.isPending).toBe(false);
  });
});

describe("what is shown", () => {
  test("is never an earlier input's, not even before the store knows the new one", async () => {
    const page = mounted();
    page.declare(1);
    await later();
    asked[0]?.answer("one");
    await later();
    page.render(2);
    expect(page.view).toMatchObject({ data: undefined, isPending: true });
    page.declare(2);
    expect(page.view).toMatchObject({ data: undefined, isPending: true });
  });

  test("with keepPreviousData, stays until the next answer and says so", async () => {
    const page = mounted({ keepPreviousData: true });
    page.declare(1);
    await later();
    asked[0]?.answer("one");
    await later();
    page.declare(2);
    await later();
    expect(page.view).toMatchObject({ data: "one", isPrevious: true, isPending: true });
    asked[1]?.answer("two");
    await later();
    expect(page.view).toMatchObject({ data: "two", isPrevious: false, isPending: false });
    page.declare(undefined);
    page.declare(3);
    expect(page.view.data).toBeUndefined();
  });

  test("a guess, until the answer comes", async () => {
    const page = mounted({ optimistic: (input, previous) => [input, previous] });
    page.declare(1);
    expect(page.view).toMatchObject({ data: [1, undefined], isOptimistic: true });
    expect(page.view.prediction).toBeUndefined();
    await later();
    asked[0]?.answer("one");
    await later();
    expect(page.view).toMatchObject({ data: "one", isOptimistic: false });
  });

  test.each([
    [true, "one"],
    [false, undefined],
  ])("a guess is taken back after an error (keepPreviousData: %s)", async (keeps, shown) => {
    const page = mounted({
      keepPreviousData: keeps,
      optimistic: (input) => `guess ${String(input)}`,
    });
    page.declare(1);
    await later();
    asked[0]?.answer("one");
    await later();
    page.declare(2);
    await later();
    expect(page.view).toMatchObject({ data: "guess 2", isOptimistic: true, isPrevious: false });
    asked[1]?.fail(new TypeError("lost"));
    await later();
    expect(page.view).toMatchObject({ data: shown, isOptimistic: false, isPrevious: keeps });
    expect(page.view.error).toMatchObject({ code: "network" });
  });
});

describe("an error", () => {
  test("is shown at its fields, and goes with the next answer", async () => {
    const page = mounted({ keepPreviousData: true });
    page.declare(1);
    await later();
    const paths = [
      "inputs.sepal width",
      "inputs[1].a.b",
      "inputs[0]",
      "inputs",
      "parameters.top_k",
    ];
    const errors = paths.map((path) => ({ path, message: "is bad" }));
    page.store.getState().current!.ask = () =>
      Promise.reject(new NearcastClientError("invalid_input", "It is bad.", { errors }));
    void page.store.refetch();
    await later();
    expect(page.view.fieldErrors).toEqual({
      "sepal width": "is bad",
      "[1].a.b": "is bad",
      "[0]": "is bad",
      inputs: "is bad",
      "parameters.top_k": "is bad",
    });
    page.declare(2);
    await later();
    expect(page.view.error).toMatchObject({ code: "invalid_input" });
    asked.at(-1)?.answer("good");
    await later();
    expect(page.view).toMatchObject({ data: "good", error: undefined, fieldErrors: {} });
  });

  test("of another input is not shown", async () => {
    const page = mounted();
    page.declare(1);
    await later();
    asked[0]?.fail(new TypeError("lost"));
    await later();
    expect(page.view.error).toBeDefined();
    page.declare(2);
    expect(page.view).toMatchObject({ error: undefined, fieldErrors: {} });
  });

  test("refetch asks again, with the client of the last rendering", async () => {
    const page = mounted();
    page.declare(1);
    await later();
    asked[0]?.fail(new TypeError("lost"));
    await later();
    const keys: unknown[] = [];
    client = createClient("https://models.test", {
      key: "new",
      fetch: async (_, init) => {
        keys.push(new Headers(init.headers).get("Authorization"));
        return Response.json({ model: "m", version: "2", outputs: "again" });
      },
    });
    page.declare(1);
    const answer = page.store.refetch();
    await later();
    expect(await answer).toMatchObject({ version: "2", outputs: "again" });
    expect(keys).toEqual(["Bearer new"]);
    expect(page.view).toMatchObject({ data: "again", error: undefined });
  });
});

describe("a component", () => {
  test("that goes ends its request, and one that comes back asks again", async () => {
    const page = mounted();
    page.declare(1);
    await later();
    page.leave();
    expect(asked[0]?.signal?.aborted).toBe(true);
    page.enter();
    await later();
    asked[1]?.answer("one");
    await later();
    expect(page.view.data).toBe("one");
    page.leave();
    page.enter();
    await later(1000);
    expect(asked).toHaveLength(2);
  });

  test("that is mounted twice at once, as in StrictMode, asks once", async () => {
    const page = mounted();
    page.declare(1);
    page.leave();
    page.enter();
    page.declare(1);
    await later();
    expect(asked).toHaveLength(1);
  });

  test("predict asks at once and gives the answer; the next input replaces it", async () => {
    const page = mounted({ debounceMs: 200 });
    page.declare(undefined);
    const answer = page.store.ask(page.question("pressed"));
    await later();
    expect(page.view.isPending).toBe(true);
    asked[0]?.answer("one");
    expect(await answer).toMatchObject({ outputs: "one" });
    expect(page.view.data).toBe("one");
    page.declare("typed");
    expect(page.view).toMatchObject({ data: undefined, isPending: true });
  });

  test("predict gives undefined after an error and where a newer question came", async () => {
    const page = mounted();
    const first = page.store.ask(page.question(1));
    await later();
    const second = page.store.ask(page.question(2));
    expect(await first).toBeUndefined();
    await later();
    asked[1]?.fail(new TypeError("lost"));
    expect(await second).toBeUndefined();
    expect(page.view.error).toMatchObject({ code: "network" });
  });
});

test("what failed without a network is asked again when it is back, nothing else is", async () => {
  const window = new EventTarget();
  vi.stubGlobal("addEventListener", window.addEventListener.bind(window));
  vi.stubGlobal("removeEventListener", window.removeEventListener.bind(window));
  const page = mounted();
  vi.unstubAllGlobals();
  const comeBack = async () => {
    window.dispatchEvent(new Event("online"));
    await later();
  };
  page.declare(1);
  await later();
  await comeBack();
  expect(asked).toHaveLength(1);
  asked[0]?.fail(new TypeError("lost"));
  await later();
  await comeBack();
  expect(asked).toHaveLength(2);
  asked[1]?.answer("one");
  await later();
  await comeBack();
  expect(asked).toHaveLength(2);
});

test("keys tell apart what is sent apart, and files by identity", () => {
  const [one, two] = [new Blob(["a"]), new Blob(["a"])];
  expect(keyOf([one, 1n, { a: undefined }])).toBe(keyOf([one, "1", {}]));
  const inputs = [one, two, new Uint8Array(1), new Uint8Array(1), "a", ["a"], 1, { a: 1 }, null];
  expect(new Set(inputs.map(keyOf)).size).toBe(inputs.length);
});
