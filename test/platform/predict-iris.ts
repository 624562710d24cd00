import { expect } from "vitest";

/** Asks for a prediction, which must be right. Gives the version that answered. */
export async function predictIris({
  fetch,
}: {
  fetch: (path: string, init?: RequestInit) => Promise<Response>;
}): Promise<string | null> {
  const answer = await fetch("/v1/models/iris/predict", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ inputs: [5.1, 3.5, 1.4, 0.2] }),
  });
  expect(answer.status, await answer.clone().text()).toBe(200);
  expect(await answer.json()).toMatchObject({ outputs: { label: "setosa" } });
  return answer.headers.get("x-model-version");
}
