// The parts of the SDK that are used. They are imported late: see store/s3-sdk.ts.
export { ChangeMessageVisibilityCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
