// The same on the other platforms.
import "./clients-of-others.test.ts";
