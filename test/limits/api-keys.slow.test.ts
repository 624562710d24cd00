// The same on the other platforms.
import "./api-keys.test.ts";
