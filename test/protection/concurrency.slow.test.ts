// The same on the other platforms.
import "./concurrency.test.ts";
