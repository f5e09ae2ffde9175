#!/bin/bash
# Runs a command as nobody inside the unpacked system ROOT, with HOME-FOLDER at /mnt, /dev and /proc, seen by that command alone.
# Change it when the command needs more of the machine. Usage: unshare --mount chroot.sh ROOT HOME-FOLDER COMMAND…
set -eu
root=$1 home=$2
shift 2
mount --bind "$home" "$root/mnt"
mount --bind /dev "$root/dev"
mount -t proc proc "$root/proc" 2>/dev/null || true
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/mnt chroot --userspec=65534:65534 --groups= "$root" "$@"
