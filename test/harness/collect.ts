import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");

const collectGarbage = runInNewContext("gc") as (options?: { type: "minor" }) => void;

/** Collects the garbage of this process. */
export const collect = () => collectGarbage();

/** Collects what has just become garbage, as V8 does most of the time. */
export const collectYoung = () => collectGarbage({ type: "minor" });
