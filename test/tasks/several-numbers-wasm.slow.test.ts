// The same on the other runtime.
import "./several-numbers.test.ts";
