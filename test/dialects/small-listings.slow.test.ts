// The same on the other platforms.
import "./small-listings.test.ts";
