// The same on the other runtime.
import "./text-labels.test.ts";
