// The same on the other runtime.
import "./library-models.test.ts";
