// The same on the other runtime.
import "./vector-forms.test.ts";
