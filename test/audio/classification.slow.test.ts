import "./classification.test.ts";
