// The same with the other tokenizers.
import "./long-texts.test.ts";
