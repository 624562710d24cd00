import { Hono } from "hono";
import type { AppEnv } from "../../../http/exchange.ts";
import { limitBody } from "../../../http/middleware/limit-body.ts";
import type { Service } from "../../../service.ts";
import { CLOSED, HEALTH_PATH, OPEN, SERVICE_PATH } from "./names.ts";

/** Longer requests of the open methods are not read: no key was asked for. */
const OPEN_BYTES = 1024;

// The libraries of the protocols are evaluated with the first call.
const loadCalls = () => import("./calls.ts");

/** Those that anyone may call. */
export function openCalls(service: Service) {
  const limit = limitBody(OPEN_BYTES, false);
  const routes = new Hono<AppEnv>();
  for (const name of OPEN)
    routes.post(`${SERVICE_PATH}/${name}`, limit, async (c) =>
      (await loadCalls()).OPEN_CALLS[name](c, service),
    );
  return routes.post(`${HEALTH_PATH}/Check`, limit, async (c) =>
    (await loadCalls()).checkHealth(c, service),
  );
}

export function closedCalls(service: Service) {
  const routes = new Hono<AppEnv>();
  for (const name of CLOSED)
    routes.post(`${SERVICE_PATH}/${name}`, async (c) =>
      (await loadCalls()).CALLS[name](c, service),
    );
  return routes;
}
