#!/usr/bin/env bash
# Runs the steps of the Dockerfile without a container engine: the build stage in an empty directory, then the image's
# root file system by chroot, as its user, with its command. Needs Linux, root and the network; takes about a minute.
# It must never write outside its temporary directory.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

repository=$PWD
work=$(mktemp -d)
sidecar=
finish() {
  if [ -n "$sidecar" ]; then kill -KILL "$sidecar" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap finish EXIT

# The build stage has the pinned Node as its own.
node=$(realpath node_modules/node/bin/node)
mkdir "$work/bin" "$work/build"
cp "$node" "$work/bin/node"
export PATH="$work/bin:$PATH"

echo '== COPY (what .dockerignore lets in and the Dockerfile copies)'
cp -R .npmrc package.json package-lock.json tsconfig.json tsconfig.build.json bin scripts src "$work/build"
cd "$work/build"
ls -A

echo '== RUN'
npm ci --ignore-scripts --include=dev --no-audit --no-fund --loglevel=error
npm run build
npm prune --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error
sh scripts/image-root.sh "$work/bin/node" "$work/build" "$work/image"

echo '== what is inside'
cd "$work/image"
for part in . usr/local/bin/node opt/postern/node_modules opt/postern/dist; do du -sh "$part"; done
find . -path ./opt/postern/node_modules -prune -o -path ./opt/postern/dist -prune -o -type f -print
if find . -type f \( -name npm -o -name sh -o -name tsc -o -name biome -o -name vitest \) | grep .; then
  echo 'a build tool or a shell is in the image' >&2
  exit 1
fi

echo '== ENTRYPOINT serve, as 65532:65532, and HEALTHCHECK'
cp "$repository/examples/quickstart/policy.yaml" "$work/image/tmp/policy.yaml"
# chroot has no network of its own: free ports instead of the defaults, which a developer's sidecar may hold.
ports=$(node -e "
  const { createServer } = require('node:net');
  const servers = [0, 0].map((port) => createServer().listen(port, '127.0.0.1'));
  Promise.all(servers.map((server) => new Promise((done) => server.once('listening', done)))).then(() => {
    console.log(servers.map((server) => server.address().port).join(' '));
    for (const server of servers) server.close();
  });")
read -r grpc http <<<"$ports"
inside=(env -i PATH=/usr/local/bin NODE_ENV=production POSTERN_DECISION_LOG_DIR=/var/lib/postern/decisions
  "$(PATH=$PATH:/usr/sbin command -v chroot)" --userspec=65532:65532 "$work/image" postern)
"${inside[@]}" serve --policy /tmp/policy.yaml --grpc-address "127.0.0.1:$grpc" --http-address "127.0.0.1:$http" \
  --socket /tmp/postern.sock 2>"$work/log" &
sidecar=$!
deadline=$((SECONDS + 20))
until "${inside[@]}" health --address unix:/tmp/postern.sock 2>"$work/health"; do
  if [ "$SECONDS" -ge "$deadline" ] || ! kill -0 "$sidecar" 2>/dev/null; then
    cat "$work/log" "$work/health" >&2
    echo 'the sidecar did not become healthy' >&2
    exit 1
  fi
done
grep -E '^Uid|^Gid' "/proc/$sidecar/status"
"${inside[@]}" check user:alice read doc:roadmap --address "127.0.0.1:$grpc"
kill -TERM "$sidecar"
wait "$sidecar" && echo 'drained, exit code 0'
sidecar=
find "$work/image/var/lib/postern" -type f -size +0 | grep . >/dev/null && echo 'decision log written'
