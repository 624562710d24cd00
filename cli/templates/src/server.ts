import { serve } from "nearcast/node";
import options from "../nearcast.config.ts";

await serve(options);
