import { afterAll, beforeAll, expect, test } from "vitest";
import { complaints, hasPrometheus } from "../harness/promtool.ts";
import { samplesOf } from "../harness/samples.ts";
import type { StartTarget, Target } from "../harness/targets.ts";

const IRIS = [5.1, 3.5, 1.4, 0.2];

/** Checks that `/metrics` counts what was sent. */
export function countsWhatWasSent(start: StartTarget): void {
  let target: Target;
  beforeAll(async () => {
    target = await start();
  });
  afterAll(() => target?.stop());

  const ask = (inputs: unknown) =>
    target.fetch("/v1/models/iris/predict", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ inputs }),
    });

  const read = async () => samplesOf(await (await target.fetch("/metrics")).text());

  test("metrics have what was sent, no more and no less", async () => {
    const requests = Array.from({ length: 60 }, (_, index) => (index % 6 ? [IRIS, IRIS] : [[1]]));
    for (let begin = 0; begin < requests.length; begin += 10)
      await Promise.all(requests.slice(begin, begin + 10).map(ask));
    const success = 'nv_inference_request_success{model="iris",version="1"}';
    await expect.poll(async () => (await read()).get(success)).toBe(50);
    const samples = await read();
    expect(samples.get('nv_inference_count{model="iris",version="1"}')).toBe(100);
    const failed = 'nv_inference_request_failure{model="iris",version="1",reason="OTHER"}';
    expect(samples.get(failed)).toBe(10);
    const route =
      'http_request_method="POST",http_route="/v1/models/:model/predict",http_response_status_code=';
    expect(samples.get(`nearcast_http_requests_total{${route}"200"}`)).toBe(50);
    expect(samples.get(`nearcast_http_requests_total{${route}"422"}`)).toBe(10);
  });

  test.skipIf(!hasPrometheus)("promtool finds nothing wrong", async () => {
    const text = await (await target.fetch("/metrics")).text();
    expect(text).toContain("nv_inference_count{");
    expect(complaints(text)).toEqual([]);
  });
}
