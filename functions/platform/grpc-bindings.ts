import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";

/** What the service gets with each request of gRPC. */
export interface GrpcBindings {
  incoming: Http2ServerRequest;
  outgoing: Http2ServerResponse;
  request: Request;
  sendTrailers: (fields: Record<string, string>) => void;
}

export type GrpcFetch = (request: Request, bindings: GrpcBindings) => Response | Promise<Response>;
