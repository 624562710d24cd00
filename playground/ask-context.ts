import { createContext } from "preact";
import type { Ask } from "./api.ts";

/** How the forms that need it ask the service. */
export const AskContext = createContext<Ask>(() => Promise.reject(new Error("no service")));
