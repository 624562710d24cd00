import type { Options } from "nearcast";
import { deliveryPrice } from "./src/delivery-price.ts";

// For the entries in src/ and for the command: verify, eval, add, build, dev.
export default { tasks: [deliveryPrice] } satisfies Options;
