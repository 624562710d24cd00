import type { Options } from "nearcast";

// Your own tasks, dialects and observers, for the entries in src/ and for the command.
export default {} satisfies Options;
