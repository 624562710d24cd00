// The parts of the SDK that read a parameter. They are imported late: see store/s3-sdk.ts.
export { GetParameterCommand, ParameterNotFound, SSMClient } from "@aws-sdk/client-ssm";
