// `npm run build:ric`: compiles the native transport of Lambda's runtime interface client, once (about a minute).
import { compileRic, findRic } from "../cli/local/ric.ts";

await compileRic();
await findRic();
