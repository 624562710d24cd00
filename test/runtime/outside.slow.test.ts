// The same on the other platforms.
import "./outside.test.ts";
