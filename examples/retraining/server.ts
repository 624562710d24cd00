import { serve } from "nearcast/node";

await serve();
