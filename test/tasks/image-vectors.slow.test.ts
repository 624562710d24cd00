// The same on the other platforms.
import "./image-vectors.test.ts";
