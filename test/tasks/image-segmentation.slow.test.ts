// The same on the other platforms.
import "./image-segmentation.test.ts";
