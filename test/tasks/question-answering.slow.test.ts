// The same for the other tokenizer and on the other runtime.
import "./question-answering.test.ts";
