import "./voice.test.ts";
