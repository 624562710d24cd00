/** `error` is Lambda's error type: the handler's own, `Sandbox.Timedout`, `Runtime.ExitError`, … */
export interface Invocation {
  payload: unknown;
  error?: string;
}

// The limits of a synchronous invocation, with Lambda's own error messages.
export const requestLimit = 6_291_456;
export const responseLimit = 6_291_556;

export function failure(errorType: string, errorMessage: string): Invocation {
  return { payload: { errorType, errorMessage }, error: errorType };
}

export function reported(body: Buffer): Invocation {
  const payload = JSON.parse(body.toString()) as { errorType?: string };
  return { payload, error: payload.errorType ?? "Unhandled" };
}
