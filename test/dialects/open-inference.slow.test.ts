// The same on the other platforms.
import "./open-inference.test.ts";
