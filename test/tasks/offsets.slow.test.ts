// The same for the other tokenizers.
import "./offsets.test.ts";
