// The same on the other platforms.
import "./recorded-grpc.test.ts";
