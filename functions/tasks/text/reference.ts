/** placeholder */
export function likeReference<T extends object>(json: T): T {
  return json;
}
