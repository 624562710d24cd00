// The same on the other platforms.
import "./issuer.test.ts";
