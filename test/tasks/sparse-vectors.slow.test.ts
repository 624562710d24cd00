// The same for the other tokenizer and on the other runtime.
import "./sparse-vectors.test.ts";
