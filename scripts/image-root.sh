#!/bin/sh
# Lays out the root file system of the image: NODE, the shared libraries it is linked to, and the built package.
# Called by the Dockerfile, and by check-image-steps.sh without a container engine.
# It must never copy what the sidecar does not run: no shell, no npm, no sources.
#   usage: sh scripts/image-root.sh NODE PACKAGE TARGET
set -eu

node=$1
package=$2
target=$3
user=65532

mkdir -p "$target/usr/local/bin" "$target/opt/postern" "$target/etc" "$target/var/lib/postern" "$target/tmp"
cp -L "$node" "$target/usr/local/bin/node"
# "libc.so.6 => /lib/.../libc.so.6 (0x...)" and "/lib64/ld-linux-x86-64.so.2 (0x...)": at the same paths as here.
ldd "$node" | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }' | while read -r library; do
  mkdir -p "$target$(dirname "$library")"
  cp -L "$library" "$target$library"
done

cp -R "$package/bin" "$package/dist" "$package/node_modules" "$package/package.json" "$target/opt/postern"
# Launchers of packages: links to programs that nobody runs in the image.
rm -rf "$target/opt/postern/node_modules/.bin"
# Its first line is `#!/usr/bin/env node`, and there is no env: the kernel is told the binary instead, and the flag of
# Node with which a sidecar is started (SERVING_FLAG in bin/exec.js).
sed '1s|.*|#!/usr/local/bin/node --max-semi-space-size=4|' "$package/bin/postern.js" >"$target/opt/postern/bin/postern.js"
ln -s /opt/postern/bin/postern.js "$target/usr/local/bin/postern"

echo "postern:x:$user:$user:postern:/var/lib/postern:/nonexistent" >"$target/etc/passwd"
echo "postern:x:$user:" >"$target/etc/group"
# Names such as redis.example are asked for in /etc/hosts first.
echo 'hosts: files dns' >"$target/etc/nsswitch.conf"
chown -R "$user:$user" "$target/var/lib/postern"
chmod 1777 "$target/tmp"
