// The same on the other platforms.
import "./recorded-clients.test.ts";
