import { serve } from "../functions/node.ts";

await serve();
