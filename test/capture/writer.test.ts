import { expect, onTestFinished, test, vi } from "vitest";
import { capturedPrefix, dayOf, DUE } from "../../functions/observe/capture/captured.ts";
import { capturedInputs, capturingFolder, EVERYTHING, openService } from "./capturing.ts";

const IRIS = [5.1, 3.5, 1.4, 0.2];
const DAY_MS = 86_400_000;

const place = (until: number) =>
  `${capturedPrefix("iris")}${dayOf(Date.now() + until * DAY_MS)}/2026-01-01-abc-1.jsonl`;

test("a store that is down harms no call, and has the inputs once it is back", async () => {
  const state = { down: true, puts: 0 };
  const folder = await capturingFolder("iris", { capture: EVERYTHING });
  const { service, store, logged } = openService(folder, (platform) => ({
    store: {
      ...platform.store,
      async put(...asked) {
        state.puts += 1;
        if (state.down) throw new Error("down");
        return platform.store.put(...asked);
      },
    },
  }));
  for (let round = 0; round < 3; round++) {
    await service.predict({ model: "iris", inputs: IRIS });
    await service.flushCaptured();
  }
  expect(state.puts).toBe(3);
  expect(await capturedInputs(store, "iris")).toEqual([]);
  expect(logged.map(({ message }) => message)).toEqual(["capture: inputs cannot be written"]);
  state.down = false;
  await service.flushCaptured();
  expect(await capturedInputs(store, "iris")).toHaveLength(3);
});

test("while the store does not answer, memory is bounded, and log and metrics say what was dropped", async () => {
  const hanging: (() => void)[] = [];
  const folder = await capturingFolder("sentiment", { capture: EVERYTHING });
  const { service, store, logged } = openService(folder, (platform) => ({
    store: {
      ...platform.store,
      async put(...asked) {
        await new Promise<void>((resolve) => hanging.push(resolve));
        return platform.store.put(...asked);
      },
    },
  }));
  const inputs = Array<string>(60).fill("z".repeat(1000));
  const calls = 40;
  for (let call = 0; call < calls; call++) await service.predict({ model: "sentiment", inputs });
  expect(logged.map(({ message }) => message)).toEqual([
    "capture: inputs are dropped, since the store does not take them in time",
  ]);
  for (let round = 0; round < 10; round++) {
    const flushed = service.flushCaptured();
    for (let turn = 0; turn < 5; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      hanging.splice(0).forEach((go) => go());
    }
    await flushed;
  }
  const kept = await capturedInputs(store, "sentiment");
  const dropped = logged.find(({ message }) => message === "capture: inputs were dropped");
  expect(kept.length).toBeGreaterThan(60 * calls * 0.5);
  expect(kept.length + Number(dropped?.["inputs"])).toBe(60 * calls);
  const counted = service.metrics
    .instanceSamples()
    .filter(({ metric }) => metric.name === "nearcast_captured_lines_total")
    .map(({ labels, values }) => [labels.join(" "), values[0]]);
  expect(Object.fromEntries(counted)).toEqual({
    "sentiment 1 dropped": 60 * calls - kept.length,
    "sentiment 1 written": kept.length,
  });
});

test("an instance writes one object for all inputs of a model until its schedule's time", async () => {
  const sends: (() => Promise<void>)[] = [];
  const folder = await capturingFolder("iris", { capture: EVERYTHING });
  let everyMs = 0;
  const { service, store } = openService(folder, () => ({
    createSchedule: (milliseconds) => {
      everyMs = milliseconds;
      return (send) => sends.push(send) > 0;
    },
  }));
  for (let round = 1; round <= 2; round++) {
    for (let call = 0; call < 3; call++) await service.predict({ model: "iris", inputs: IRIS });
    expect(sends).toHaveLength(round);
    await sends[round - 1]?.();
    expect(await capturedInputs(store, "iris")).toHaveLength(3 * round);
  }
  expect(everyMs).toBe(60_000);
  expect(await store.list(capturedPrefix("iris"))).toHaveLength(2);
});

test("what expired is removed by who writes, and nothing else", async () => {
  const folder = await capturingFolder("iris", { capture: EVERYTHING });
  const { service, store } = openService(folder);
  for (const until of [-2, 0, 1]) await store.put(place(until), new TextEncoder().encode("{}\n"));
  await service.predict({ model: "iris", inputs: IRIS });
  await service.flushCaptured();
  const left = await store.list(capturedPrefix("iris"));
  expect(left).toHaveLength(2);
  expect(left).toContain(place(1));
});

test("what expired of models that nobody asks any more is removed, with one list while nothing has", async () => {
  const folder = await capturingFolder("iris", { capture: EVERYTHING });
  const writing = openService(folder);
  await writing.service.predict({ model: "iris", inputs: IRIS });
  await writing.service.flushCaptured();
  const written = await writing.store.list(capturedPrefix("iris"));
  expect(written).toHaveLength(1);

  const lists: string[] = [];
  const ticks: (() => Promise<void>)[] = [];
  const later = (days: number) => {
    vi.setSystemTime(Date.now() + days * DAY_MS);
    return Promise.all(ticks.map((tick) => tick()));
  };
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  // Another server over the same store, which never captures.
  openService(folder, ({ store }) => ({
    store: { ...store, list: (prefix) => (lists.push(prefix), store.list(prefix)) },
    every: (_, work) => void ticks.push(work),
  }));
  await later(0);
  await later(0);
  expect(lists).toEqual([DUE]);
  await later(20);
  expect(await writing.store.list(capturedPrefix("iris"))).toEqual(written);
  // Nobody looked on the day itself.
  await later(20);
  expect(await writing.store.list(capturedPrefix("iris"))).toEqual([]);
  expect(await writing.store.list(DUE)).toEqual([]);
  expect(lists.filter((prefix) => prefix === DUE)).toHaveLength(3);
});

test("what expired is removed in parts of some hundred objects", async () => {
  const folder = await capturingFolder("iris", {});
  const { service, store } = openService(folder);
  const day = dayOf(Date.now());
  const none = new Uint8Array();
  for (let turn = 0; turn < 450; turn++)
    await store.put(`${capturedPrefix("iris")}${day}/2026-01-01-abc-${turn}.jsonl`, none);
  await store.put(`${DUE}${day}/iris`, none);
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const left: number[] = [];
  for (let hour = 0; hour < 3; hour++) {
    vi.setSystemTime(Date.now() + (hour === 0 ? 0 : 3_600_000));
    await service.removeExpired();
    left.push((await store.list(capturedPrefix("iris"))).length);
  }
  expect(left).toEqual([50, 0, 0]);
  expect(await store.list(DUE)).toEqual([]);
});
