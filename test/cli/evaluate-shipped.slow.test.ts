// The same for the other models.
import "./evaluate-shipped.test.ts";
