// The same on the other platforms.
import "./object-detection.test.ts";
