// The same on the other platforms.
import "./csv.test.ts";
