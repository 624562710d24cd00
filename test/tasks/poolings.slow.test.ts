// The same on WASM.
import "./poolings.test.ts";
