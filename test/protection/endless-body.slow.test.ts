// The same on the other platforms.
import "./endless-body.test.ts";
