# The Node server in an image without a shell: docker build --tag nearcast .
# docs/containers.md says how to run it. In a company's registry, name both base images by digest too.
FROM --platform=$BUILDPLATFORM node:24.21.0-trixie-slim AS build
ARG TARGETARCH
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
COPY client/package.json client/
RUN npm ci --omit=dev --ignore-scripts
COPY . .
RUN npm run build:assets \
    && npm run build:node -- "${TARGETARCH:-$(node -p process.arch)}" \
    && mkdir cache

# For the image's processor, which is not always the one that builds.
FROM node:24.21.0-trixie-slim AS node

FROM gcr.io/distroless/cc-debian13:nonroot
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=build /build/dist/node /app
COPY --from=build --chown=65532:65532 /build/cache /cache
WORKDIR /app
USER 65532:65532
# Models are read from STORE. Only /cache is written: artifacts of a bucket, and jobs. A platform may give another user,
# who has no home: the SDK of AWS fails without one.
ENV HOST=0.0.0.0 \
    PORT=8787 \
    STORE=/models \
    CACHE_DIR=/cache/artifacts \
    JOBS_FILE=/cache/jobs.sqlite \
    TMPDIR=/cache \
    HOME=/cache \
    MALLOC_ARENA_MAX=2
VOLUME ["/cache"]
EXPOSE 8787
HEALTHCHECK --start-period=30s \
  CMD ["/usr/local/bin/node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Node is process 1 and handles SIGTERM itself. These are the arguments of npm start.
ENTRYPOINT ["/usr/local/bin/node", "--min-semi-space-size=4", "--max-semi-space-size=4", "--initial-old-space-size=64", "--no-parallel-scavenge", "--no-concurrent-array-buffer-sweeping", "--no-allocation-site-pretenuring", "--no-maglev", "--v8-pool-size=1", "/app/server.mjs"]
