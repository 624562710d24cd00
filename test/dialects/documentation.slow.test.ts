// The same on the other platforms.
import "./documentation.test.ts";
