// The same on the other platforms.
import "./closed.test.ts";
