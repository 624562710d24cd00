// The parts of the SDK that the store uses, to be imported late. A bundler keeps a package whole that is itself
// imported late, and of this file only what it names.
export {
  GetObjectCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
