#!/usr/bin/env bash
# Gets ptxas, cuobjdump and nvdisasm on a Debian machine without installing anything: the package
# nvidia-cuda-toolkit (component non-free) is downloaded and unpacked into a folder of your choice. apt's own
# configuration, lists and cache stay untouched; root is not needed. The mirror is the one apt already uses.
#
#   get-ptxas.sh FOLDER [SUITE]     then: export DERA_PTXAS=FOLDER/bin/ptxas
#
# SUITE defaults to trixie (CUDA 12.4: sm_90a, PTX ISA 8.4); bookworm has 11.8 (sm_90, no sm_90a).
set -euo pipefail

fail() { echo "get-ptxas: $*" >&2; exit 1; }

[ $# -ge 1 ] || fail "usage: get-ptxas.sh FOLDER [SUITE]"
mkdir -p "$1"
folder=$(cd "$1" && pwd)
suite=${2:-trixie}

if [ -x "$folder/bin/ptxas" ] && "$folder/bin/ptxas" --version >/dev/null 2>&1; then
    echo "$folder/bin/ptxas"
    exit 0
fi
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || fail "needs apt-get and dpkg-deb (a Debian machine)"
[ "$(dpkg --print-architecture)" = amd64 ] || fail "the package exists for amd64 only"

# The Debian mirror: the first address ending in /debian among apt's sources (deb822 'URIs:' or one-line 'deb').
sources=$(cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list /etc/apt/sources.list 2>/dev/null || true)
mirror=$(printf '%s\n' "$sources" | sed -n -E 's/^URIs:[[:space:]]*//p; s/^deb([[:space:]]+\[[^]]*\])?[[:space:]]+//p' |
    tr -s '[:space:]' '\n' | grep -E '^(https?|mirror\+[a-z]+|file):.*/debian/?$' | head -n 1) || true
[ -n "$mirror" ] || fail "no Debian mirror among this machine's apt sources"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || fail "missing $keyring (package debian-archive-keyring)"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/unpacked"
echo "deb [arch=amd64 signed-by=$keyring] $mirror $suite non-free" > "$work/sources.list"
cat > "$work/apt.conf" <<EOF
Dir::Etc::SourceList "$work/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "$work/lists";
Dir::Cache "$work/cache";
APT::Sandbox::User "root";
APT::Default-Release "";
Acquire::Languages "none";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
EOF

apt-get -c "$work/apt.conf" -qq update || fail "no package lists for '$suite non-free' from this machine's mirror"
(cd "$work" && apt-get -c "$work/apt.conf" -qq download nvidia-cuda-toolkit) ||
    fail "nvidia-cuda-toolkit is not in '$suite non-free' of this machine's mirror"
dpkg-deb -x "$work"/nvidia-cuda-toolkit_*.deb "$work/unpacked" || fail "the package does not unpack (disk full?)"

mkdir -p "$folder/bin"
for tool in ptxas cuobjdump nvdisasm; do
    found=$(find "$work/unpacked/usr" -name "$tool" -type f -perm -u+x | head -n 1)
    [ -n "$found" ] || fail "the package holds no $tool"
    cp "$found" "$folder/bin/$tool"
done

# Works: assembles a kernel and reads it back.
printf '.version 7.0\n.target sm_80\n.address_size 64\n.visible .entry probe() { ret; }\n' > "$work/probe.ptx"
"$folder/bin/ptxas" -arch=sm_80 -o "$work/probe.cubin" "$work/probe.ptx" || fail "ptxas does not run here"
PATH="$folder/bin:$PATH" "$folder/bin/cuobjdump" -sass "$work/probe.cubin" | grep -q EXIT || fail "cuobjdump does not run here"
"$folder/bin/ptxas" --version | tail -n 2 >&2
echo "$folder/bin/ptxas"
