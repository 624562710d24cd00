import { useEffect, useState } from "preact/hooks";
import { readCandidates, readManifest, type Ask } from "./api.ts";
import { FailureView } from "./failure-view.tsx";
import { Model } from "./model.tsx";
import { useRead } from "./use-read.ts";

interface ModelPageProps {
  name: string;
  ask: Ask;
  isKeyed: boolean;
  onRefused: () => void;
}

/** Reads a model's manifest, and again when another version is released. */
export function ModelPage({ name, ask, isKeyed, onRefused }: ModelPageProps) {
  const [releases, setReleases] = useState(0);
  const { value, failure } = useRead(read, onRefused, [ask, name, releases]);

  async function read(signal: AbortSignal) {
    const [manifest, candidates] = await Promise.all([
      readManifest(ask, name, signal),
      // Only marks versions in a list.
      readCandidates(ask, name, signal).catch(() => []),
    ]);
    return { manifest, candidates };
  }

  useEffect(() => {
    document.title = `${name} · Nearcast`;
  }, [name]);

  if (failure) return <FailureView failure={failure} />;
  if (!value) return <p role="status">Reading the model…</p>;
  return (
    <>
      {releases > 0 && (
        <p role="status" class="notice">
          Version {value.manifest.version} was released while this page was open. The form is its.
        </p>
      )}
      <Model
        key={value.manifest.task}
        {...value}
        ask={ask}
        isKeyed={isKeyed}
        onRelease={() => setReleases(releases + 1)}
        onRefused={onRefused}
      />
    </>
  );
}
