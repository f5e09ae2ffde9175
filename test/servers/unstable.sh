#!/bin/bash
# Unpacks packages of Debian unstable, with everything that they depend on, into FOLDER; the system's own packages stay untouched.
# Change it when apt's options change. Usage: unstable.sh FOLDER PACKAGE…
set -eu
target=$1
shift
work=$(mktemp -d "${TMPDIR:-/tmp}/unstable.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/lists/partial "$work"/cache/archives/partial "$target"
# With an empty list of installed packages, apt resolves all dependencies, the C library included.
: >"$work/status"
chmod 755 "$work"
chown -R _apt "$work/lists" "$work/cache/archives/partial" 2>/dev/null || true
mirror=$(grep -rhoE '^(URIs: *|deb (\[[^]]*\] )?)[a-z]+://[^ ]+/debian/? *' /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null | head -1 | grep -oE '[a-z]+://[^ ]+')
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror unstable main" >"$work/sources.list"
apt=(
  apt-get -y -qq
  -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferencesparts=/dev/null
  -o Dir::State::lists="$work/lists" -o Dir::State::status="$work/status"
  -o Dir::Cache="$work/cache" -o Dir::Cache::archives="$work/cache/archives" -o Acquire::Languages=none
)
"${apt[@]}" update
"${apt[@]}" --no-install-recommends --download-only install "$@"
for package in "$work"/cache/archives/*.deb; do
  dpkg-deb --fsys-tarfile "$package" | tar -x -C "$target" --keep-directory-symlink
done
