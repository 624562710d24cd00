/** URLs treat `.` and `..` as other folders, even when they are encoded. Throws a TypeError for these. */
export function segment(name: string, what = "the name of a model or version"): string {
  if (/^\.{0,2}$/.test(name)) throw new TypeError(`"${name}" is not ${what}`);
  return encodeURIComponent(name);
}

export function modelPath(model: string, version?: string): string {
  const path = `v1/models/${segment(model)}`;
  return version === undefined ? path : `${path}/versions/${segment(version)}`;
}
