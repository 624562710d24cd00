export interface LambdaFunction {
  /** The unzipped package. */
  directory: string;
  handler: string;
  env?: Record<string, string>;
  memorySizeMb?: number;
}

/** Lambda's environment variables, and none of this machine. `options.env` may add `TMPDIR`. */
export function environment(options: LambdaFunction, port: number): Record<string, string> {
  const memory = String(options.memorySizeMb ?? 1769);
  return {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    LANG: "en_US.UTF-8",
    TZ: ":UTC",
    AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
    AWS_REGION: "us-east-1",
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_SESSION_TOKEN: "test",
    AWS_LAMBDA_FUNCTION_NAME: "test",
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: memory,
    AWS_LAMBDA_LOG_GROUP_NAME: "/aws/lambda/test",
    AWS_LAMBDA_LOG_STREAM_NAME: "test",
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    ...options.env,
    AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
    LAMBDA_TASK_ROOT: options.directory,
    _HANDLER: options.handler,
  };
}
