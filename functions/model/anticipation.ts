import type { Platform } from "../platform/types.ts";
import type { Tasks } from "../tasks/tasks.ts";
import type { Sessions } from "./sessions.ts";

/**
 * Begins to load the session that the first call of a model most likely needs, while its release and manifest are read.
 * Sessions are found by the digests of their files. So if the release names another artifact, this session is not used.
 */
export type Anticipate = (model: string) => void;

/** Undefined where the platform brings no models along. Throws an Error for a manifest that is not valid. */
export function createAnticipation(
  { anticipated }: Pick<Platform, "anticipated">,
  tasks: Tasks,
  sessions: Sessions,
): Anticipate | undefined {
  if (!anticipated || anticipated.size === 0) return undefined;
  const manifests = new Map(
    [...anticipated].map(([model, text]) => [model, tasks.parseManifest(text)]),
  );
  return function anticipate(model) {
    const manifest = manifests.get(model);
    if (!manifest) return;
    manifests.delete(model);
    // The call itself gets the error.
    Promise.resolve(sessions.acquire(manifest)).then(
      ({ end }) => end(),
      () => undefined,
    );
  };
}
