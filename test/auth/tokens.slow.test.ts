// The same on the other platforms.
import "./tokens.test.ts";
