// The same on the other platforms.
import "./bodies.test.ts";
