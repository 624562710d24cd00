/** zod compiles a function for each object schema it parses with; for one parse that costs more than it saves. */
export const PARSE_ONCE = { jitless: true };
