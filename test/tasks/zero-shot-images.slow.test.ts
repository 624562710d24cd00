// The same on the other platforms.
import "./zero-shot-images.test.ts";
