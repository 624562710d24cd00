import { examplesPrint } from "./clients-page.ts";

// Go first compiles its standard library, which takes a minute.
examplesPrint(["go"]);
