// The same on the other platforms.
import "./platforms.test.ts";
