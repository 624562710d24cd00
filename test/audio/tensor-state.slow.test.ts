import "./tensor-state.test.ts";
