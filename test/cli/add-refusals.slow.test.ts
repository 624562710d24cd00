// The same with the other refusals.
import "./add-refusals.test.ts";
