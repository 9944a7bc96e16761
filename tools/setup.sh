#!/usr/bin/env bash
# What the build and the tests need from the system. As root, or with sudo that asks nothing, it is installed;
# otherwise the command is named and the tests that need it are skipped, with the reason.
set -u
missing=()
need() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }
need cc gcc
need git git
need python3 python3
# The console is built with them.
need node nodejs
need npm npm
# A token in software, so that log keys in a token are tried.
need softhsm2-util softhsm2
# A time authority for the tests is made with it.
need openssl openssl
# Mail for partners without a node is encrypted with it.
need gpg gnupg
# Another program that seals and opens files of evidence.
need age age
# A disk that refuses around a node that serves.
need fiu-run fiu-utils
# A real sshd for the gate. Where systemd runs, installing one would open a port: there it is only named.
if [ ! -x /usr/sbin/sshd ]; then
  if [ -d /run/systemd/system ]; then echo "openssh-server is missing: no helper will come in by ssh in the tests" >&2
  else missing+=(openssh-server); fi
fi
need ssh-keygen openssh-client
need setsid util-linux
# What one target alone needs is named by it.
for extra in "$@"; do need "$extra" "$extra"; done
command -v chromium >/dev/null 2>&1 || missing+=(chromium)
if ! command -v cargo >/dev/null 2>&1; then
  echo "Rust is missing: install rustc 1.95 or later with rustup, then run this again" >&2
  exit 1
fi
[ ${#missing[@]} -eq 0 ] && exit 0
install="apt-get install -y --no-install-recommends ${missing[*]}"
if [ "$(id -u)" = 0 ]; then run=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then run="sudo"
else
  echo "missing: ${missing[*]}. Install them with: sudo $install" >&2
  exit 0
fi
echo "installing ${missing[*]}"
{ $run apt-get update -qq && DEBIAN_FRONTEND=noninteractive $run $install -qq; } >/dev/null 2>&1 \
  || echo "could not install ${missing[*]}: tests that need them are skipped" >&2
exit 0
