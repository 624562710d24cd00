// The same on the other platforms.
import "./batch-dimension.test.ts";
