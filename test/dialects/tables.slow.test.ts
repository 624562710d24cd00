// The same on the other platforms.
import "./tables.test.ts";
