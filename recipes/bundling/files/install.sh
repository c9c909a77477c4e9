#!/bin/sh
# Install this bundle: sh install.sh [FOLDER]. README.md says more.
set -eu
trap '[ $? = 0 ] || echo "install.sh: stopped. If no line above says why, install.sh itself changed." >&2' EXIT
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
python=${PYTHON:-}
if [ -z "$python" ]; then
  for one in python@PYTHON@ python3; do
    # The whole path: without PATH, Python cannot find itself.
    if python=$(command -v "$one"); then
      break
    fi
  done
fi
if [ -z "$python" ]; then
  echo "install.sh: Python @PYTHON@ was not found; name it: PYTHON=/path/to/python@PYTHON@ sh install.sh" >&2
  exit 1
fi
# install.py checks all files, this one too. It is checked here, before it runs. Other versions of
# Python may not be able to read it. -X utf8: paths are UTF-8, whatever the locale says.
"$python" -I -X utf8 -c '
import hashlib, sys
here = "%d.%d" % sys.version_info[:2]
if here != "@PYTHON@":
    sys.exit("install.sh: this bundle is for CPython @PYTHON@, and this is Python " + here
             + ": PYTHON=/path/to/python@PYTHON@ sh install.sh; nothing was installed")
def sha256(name):
    return hashlib.sha256(open(sys.argv[1] + "/" + name, "rb").read()).hexdigest()
def refuse(what):
    sys.exit("install.sh: " + what + " changed after the bundle was written; nothing was installed")
try:
    sums = open(sys.argv[1] + "/SHA256SUMS", encoding="utf-8").read()
    sealed = open(sys.argv[1] + "/SHA256SUMS.sha256", encoding="utf-8").read()
    if sealed != sha256("SHA256SUMS") + "  SHA256SUMS\n":
        refuse("SHA256SUMS or SHA256SUMS.sha256")
    if sha256("install.py") + "  install.py" not in sums.split("\n"):
        refuse("install.py")
except (OSError, ValueError) as error:
    sys.exit("install.sh: " + str(error) + "; nothing was installed")
' "$here" || exit 1
"$python" -I -B -X utf8 "$here/install.py" "$@"
