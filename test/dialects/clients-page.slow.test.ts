import { examplesPrint } from "./clients-page.ts";

// Go compiles its standard library first: a minute.
examplesPrint(["go"]);
