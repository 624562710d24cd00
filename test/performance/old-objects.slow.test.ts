import "./old-objects.test.ts";
