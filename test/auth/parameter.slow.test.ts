// The same on the other platforms.
import "./parameter.test.ts";
