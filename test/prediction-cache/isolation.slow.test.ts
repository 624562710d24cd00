// The same on the other platforms.
import "./isolation.test.ts";
