// The same on the other platforms.
import "./image-to-text.test.ts";
