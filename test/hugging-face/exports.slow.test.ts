// The same on the other runtime.
import "./exports.test.ts";
