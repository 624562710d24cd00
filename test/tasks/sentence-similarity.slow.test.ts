// The same on the other runtime.
import "./sentence-similarity.test.ts";
