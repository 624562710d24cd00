// The same on the other platforms.
import "./breakdown.test.ts";
