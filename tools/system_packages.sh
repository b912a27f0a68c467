#!/bin/sh
# Installs the Debian packages whose programs the tests make disk images with, and the database servers that
# they fill; quick where all are there.
# The program is found by name, a plugin by its path, so another way of installing it is as good.
set -eu
PATH=$PATH:/usr/sbin:/sbin
for folder in /usr/lib/postgresql/*/bin; do
    PATH=$PATH:$folder
done

missing=
while read -r program package; do
    [ -e "$program" ] || command -v "$program" >/dev/null || missing="$missing $package"
done <<'END'
mke2fs e2fsprogs
mkfs.fat dosfstools
mkfs.ntfs ntfs-3g
mkfs.exfat exfatprogs
mount.exfat-fuse exfat-fuse
mcopy mtools
sfdisk fdisk
mount mount
mkfs.xfs xfsprogs
qemu-img qemu-utils
ewfacquire ewf-tools
vshadowmount libvshadow-utils
mariadbd mariadb-server
mariadb mariadb-client
/usr/lib/mysql/plugin/provider_bzip2.so mariadb-plugin-provider-bzip2
/usr/lib/mysql/plugin/provider_lz4.so mariadb-plugin-provider-lz4
/usr/lib/mysql/plugin/provider_lzma.so mariadb-plugin-provider-lzma
/usr/lib/mysql/plugin/provider_lzo.so mariadb-plugin-provider-lzo
/usr/lib/mysql/plugin/provider_snappy.so mariadb-plugin-provider-snappy
initdb postgresql
pvcreate lvm2
mdadm mdadm
ddrescue gddrescue
zstd zstd
runuser util-linux
hashdeep hashdeep
mactime sleuthkit
openssl openssl
evtxexport libevtx-utils
evtx_dump.py python3-evtx
ffprobe ffmpeg
zip zip
7zz 7zip
END
[ -n "$missing" ] || exit 0

run_as_root=
if [ "$(id -u)" -ne 0 ]; then
    run_as_root='sudo -n'
    $run_as_root true 2>/dev/null || run_as_root=none
fi
if [ "$run_as_root" != none ] && command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    # $missing and $run_as_root are lists of words.
    if { $run_as_root apt-get update -qq && $run_as_root apt-get install -qq -y --no-install-recommends $missing; } >/dev/null
    then
        exit 0
    fi
fi
echo "missing, and some tests will fail without: apt-get install$missing" >&2
