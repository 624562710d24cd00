// The same on the other platforms.
import "./values.test.ts";
