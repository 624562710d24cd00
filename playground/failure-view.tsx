import type { Failure } from "./api.ts";

/** Why there is no answer, as the service says it. */
export function FailureView({ failure }: { failure: Failure }) {
  const { code, message, requestId, mistakes } = failure;
  return (
    <div class="failure" role="alert">
      <p>
        <strong>{code}</strong> {message}
      </p>
      {mistakes.length > 1 && (
        <ul>
          {mistakes.map(({ path, message }) => (
            <li>
              <code>{path}</code> {message}
            </li>
          ))}
        </ul>
      )}
      {requestId && <small>Request {requestId}</small>}
    </div>
  );
}
