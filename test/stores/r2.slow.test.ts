import { r2Contract } from "./r2-contract.ts";

r2Contract("");
r2Contract("some/prefix/");
