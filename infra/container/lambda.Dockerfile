# Lambda's package as an image, for who needs one: npx nearcast build lambda x64, and then
# docker build --platform linux/amd64 --provenance=false --file infra/container/lambda.Dockerfile --build-arg ARCHITECTURE=x64 .
# Lambda takes an image alone, and no index with attestations.
FROM public.ecr.aws/lambda/nodejs:24
ARG ARCHITECTURE=x64
COPY dist/lambda/${ARCHITECTURE}/ ${LAMBDA_TASK_ROOT}/
USER 65532:65532
CMD ["index.handler"]
