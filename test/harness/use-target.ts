import { afterAll, beforeAll } from "vitest";
import { targets, type Target, type TargetOptions } from "./targets.ts";

/** A platform for the tests of a `describe`: started before the first, stopped after the last. */
export function useTarget(platform: keyof typeof targets, options: TargetOptions) {
  let target: Target;
  beforeAll(async () => {
    target = await targets[platform](options);
  });
  afterAll(() => target.stop());

  /** Without a type where the body is a form, or has none. */
  const post = (path: string, type: string, body: BodyInit) =>
    target.fetch(path, {
      method: "POST",
      ...(type && { headers: { "Content-Type": type } }),
      body,
    });
  const postJson = (path: string, body: unknown) =>
    post(path, "application/json", JSON.stringify(body));
  return { post, postJson };
}
