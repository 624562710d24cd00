// The same on the other platforms.
import "./services.test.ts";
