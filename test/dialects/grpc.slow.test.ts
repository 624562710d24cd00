// The same on the other platforms.
import "./grpc.test.ts";
