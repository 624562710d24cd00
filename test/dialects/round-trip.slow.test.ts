// The same on the other platforms.
import "./round-trip.test.ts";
