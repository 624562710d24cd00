/** Names of models and versions: one path segment, safe in a URL, an object key and a file name. */
export const NAME_PATTERN = /^[a-z0-9][a-z0-9._-]{0,63}$/i;
