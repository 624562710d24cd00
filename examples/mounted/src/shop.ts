import { Hono } from "hono";
import { createApp, type Service } from "nearcast";

/** The application that was here before, with its models below `/ml`. */
export function createShop(service: Service): Hono {
  const shop = new Hono();

  // Outside: for every request, also those below /ml.
  shop.use(async (c, next) => {
    const start = Date.now();
    // Nearcast takes this id for its own log, its errors and its records.
    c.header("X-Request-Id", c.req.header("X-Request-Id") ?? crypto.randomUUID());
    await next();
    c.header("X-Shop-Milliseconds", String(Date.now() - start));
  });
  shop.get("/", (c) => c.text("Welcome to the shop."));
  shop.notFound((c) => c.text("The shop has no such page.", 404));

  // Inside: only for requests below /ml. The shop does not offer the Open Inference Protocol.
  const ml = new Hono();
  ml.all("/v2/*", (c) => c.text("The shop speaks the native API.", 404));
  ml.route("/", createApp(service));

  return shop.route("/ml", ml);
}
