// The same on the other platforms.
import "./clients.test.ts";
