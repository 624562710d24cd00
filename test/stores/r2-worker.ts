import type { R2Bucket } from "@cloudflare/workers-types";
import { createR2Store } from "../../functions/platform/store/r2.ts";
import type { PutCondition } from "../../functions/model/store.ts";

/** A Worker that uses its bucket as a request says, through the store under test. */
export default {
  async fetch(request: Request, { MODELS }: { MODELS: R2Bucket }): Promise<Response> {
    const url = new URL(request.url);
    const store = createR2Store(MODELS, url.searchParams.get("prefix") ?? "");
    const key = url.searchParams.get("key") ?? "";
    const option = JSON.parse(url.searchParams.get("option") ?? "null") as unknown;
    switch (url.pathname) {
      case "/get": {
        const found = await store.get(key, { ifNoneMatch: (option ?? undefined) as string });
        if (!found || found === "not-modified") return Response.json(found ?? null);
        return new Response(found.bytes as BodyInit, { headers: { ETag: found.etag } });
      }
      case "/head":
        return Response.json((await store.head(key)) ?? null);
      case "/slice": {
        const [start, end] = option as [number, number];
        const found = await store.slice?.(key, start, end);
        return new Response((found ?? null) as BodyInit | null, {
          headers: found ? {} : { "X-Absent": "true" },
        });
      }
      case "/list":
        return Response.json(await store.list(key));
      case "/delete":
        await store.delete(key);
        return Response.json(null);
      default: {
        const bytes = new Uint8Array(await request.arrayBuffer());
        const condition = (option ?? undefined) as PutCondition | undefined;
        return Response.json((await store.put(key, bytes, condition)) ?? null);
      }
    }
  },
};
