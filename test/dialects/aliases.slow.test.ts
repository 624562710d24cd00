import { ALIAS_PLATFORMS, aliasSuite } from "./aliases.ts";

aliasSuite(ALIAS_PLATFORMS.slice(1));
