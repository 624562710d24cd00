// The same on the other platforms.
import "./image-classes.test.ts";
