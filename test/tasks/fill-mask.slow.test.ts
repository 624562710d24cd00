// The same for the other tokenizer and on the other runtime.
import "./fill-mask.test.ts";
