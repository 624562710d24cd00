/** Names of models and versions: one path segment, safe in a URL, an object key and a file name. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
