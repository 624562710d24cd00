// Makes dist/assets/docs/: the files of the documentation page, which the Worker serves as static assets.
import { copyDocumentation } from "./copy-documentation.ts";

await copyDocumentation("dist/assets/docs");
