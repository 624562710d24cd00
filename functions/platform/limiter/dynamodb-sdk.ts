// The parts of the SDK that the limiter uses. They are imported late: see store/s3-sdk.ts.
export {
  ConditionalCheckFailedException,
  DynamoDBClient,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
