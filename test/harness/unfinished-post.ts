import { request } from "node:http";

export interface UnfinishedPost {
  /** The status of the answer, which may come before the end of the body. */
  readonly status: Promise<number>;
  /** Sends the rest of the body. */
  finish: (rest: string) => void;
  /** Closes the connection. */
  leave: () => void;
}

/** Begins a request and keeps a part of its body back. */
export function beginPost(
  url: URL,
  begin: string,
  headers: Record<string, string> = {},
): UnfinishedPost {
  const post = request(url, {
    agent: false,
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
  });
  const status = new Promise<number>((resolve, reject) => {
    post.on("error", reject);
    post.on("response", (response) => resolve(response.resume().statusCode ?? 0));
  });
  post.write(begin);
  return {
    status,
    finish: (rest) => void post.end(rest),
    leave: () => void post.on("error", () => undefined).destroy(),
  };
}
