// The same with the other exports.
import "./add-vectors.test.ts";
