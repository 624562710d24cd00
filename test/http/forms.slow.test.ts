// The same on the other platforms.
import "./forms.test.ts";
