// The same on the other runtime.
import "./text-ranking.test.ts";
