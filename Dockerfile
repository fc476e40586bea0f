# The sidecar as an image: one Node binary, its four shared libraries, Postern and its run-time packages.
# There is no shell, no package manager and no npm inside; it runs as a user without a name or rights.
#
# Pinned by version, as package.json pins the same Node. A digest pins harder: add the one that your registry shows
# (`node:24.21.0-bookworm-slim@sha256:...`) where images are built for production.
#
# docs/deployment.md says how to run it, and how callers reach its Unix socket.

FROM node:24.21.0-bookworm-slim AS build
WORKDIR /build

# The packages first: this layer is kept until the lock file changes. Their scripts are not run: the only one that
# matters installs a Node, and this image has it.
COPY package.json package-lock.json .npmrc ./
RUN ["npm", "ci", "--ignore-scripts", "--include=dev", "--no-audit", "--no-fund"]

COPY tsconfig.json tsconfig.build.json ./
COPY bin bin
COPY scripts scripts
COPY src src
RUN ["npm", "run", "build"]
RUN ["npm", "prune", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]

# The root file system of the image, laid out here because the last stage has nothing to make it with.
RUN ["sh", "scripts/image-root.sh", "/usr/local/bin/node", "/build", "/image"]

FROM scratch
COPY --from=build /image /

ENV NODE_ENV=production \
    PATH=/usr/local/bin \
    POSTERN_DECISION_LOG_DIR=/var/lib/postern/decisions
# By number, so that an orchestrator can see that it is not root.
USER 65532:65532
WORKDIR /var/lib/postern
# The decision log's spool, and its files with --decision-log=file. With a read-only root file system, mount a volume here.
VOLUME ["/var/lib/postern"]
# gRPC, and HTTP. Both listen on loopback unless --grpc-address and --http-address say otherwise.
EXPOSE 7678 7679
# SIGTERM drains: requests in flight end, and the decision log is written.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --start-interval=1s --retries=3 CMD ["postern", "health"]
ENTRYPOINT ["postern"]
CMD ["serve"]
