// The same for the other tokenizer and on the other runtime.
import "./zero-shot.test.ts";
