import "./tutorial.test.ts";
