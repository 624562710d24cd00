import type { ModelDescription } from "../types.ts";

/** A file as a manifest names it. */
export interface VersionFile {
  file: string;
  sha256: string;
  bytes: number;
}

/** A released version, as far as a page needs to know it. */
export interface Release {
  description: ModelDescription;
  version: string;
  /** SHA-256 of the artifact. */
  digest: string;
  /** Artifact, further weights and assets. */
  files: VersionFile[];
  /** Of all files. */
  bytes: number;
}

export function releaseOf(description: ModelDescription): Release {
  const {
    version,
    artifact,
    assets = [],
  } = description as ModelDescription & {
    artifact: VersionFile & { externalData?: VersionFile[] };
    assets?: VersionFile[];
  };
  const files = [artifact, ...(artifact.externalData ?? []), ...assets];
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return { description, version, digest: artifact.sha256, files, bytes };
}

/** Whether both have the same files. A version of a folder that somebody works on can change. */
export function areSame(one: Release, other: Release): boolean {
  const digests = ({ version, files }: Release) =>
    [version, ...files.map(({ sha256 }) => sha256)].join(" ");
  return digests(one) === digests(other);
}
