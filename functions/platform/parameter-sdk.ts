// The parts of the SDK that reading a parameter uses, to be imported late: see store/s3-sdk.ts.
export { GetParameterCommand, ParameterNotFound, SSMClient } from "@aws-sdk/client-ssm";
