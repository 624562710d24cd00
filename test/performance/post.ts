import { type Agent, request } from "node:http";

/** Sends a JSON body, and rejects unless it is answered with 200. */
export function post(agent: Agent, url: string, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { "Content-Type": "application/json" };
    request(url, { agent, method: "POST", headers }, (response) => {
      response.resume().on("end", () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`answered ${response.statusCode}`));
      });
    })
      .on("error", reject)
      .end(body);
  });
}

/** Does the work so many times, always `width` at a time. */
export async function inFlight(
  width: number,
  times: number,
  work: () => Promise<void>,
): Promise<void> {
  let left = times;
  const worker = async () => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: width }, worker));
}
