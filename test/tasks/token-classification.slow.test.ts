// The same for the other tokenizer and on the other runtime.
import "./token-classification.test.ts";
