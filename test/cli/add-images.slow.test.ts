// The same with the other exports.
import "./add-images.test.ts";
