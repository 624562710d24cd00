import "./model-files.test.ts";
