// The same on the other platforms.
import "./stalled-issuer.test.ts";
