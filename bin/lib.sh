# shellcheck shell=sh
# Shared by the commands in bin/: a virtual environment that has exactly what a requirements file pins.

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

find_python() {
    for name in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    fail "PurelyManage needs Python 3.11 or newer, and none was found. Debian and Ubuntu: apt install python3"
}

make_venv() {
    python=$(find_python)
    if ! message=$("$python" -m venv .venv 2>&1); then
        rm -rf .venv
        case $message in
            *ensurepip*) fail "Python's venv module is missing. Debian and Ubuntu: apt install python3-venv" ;;
            *"No space left"*) fail "The disk is full: about 300 MB are needed in $PWD." ;;
            *) fail "No virtual environment could be made in $PWD/.venv: $message" ;;
        esac
    fi
}

# ensure_venv FILE: installs what FILE pins, once per change of FILE
ensure_venv() {
    stamp=.venv/.installed-$1
    if ! .venv/bin/python -c '' 2>/dev/null; then
        rm -rf .venv
        make_venv
    fi
    cmp -s "$1" "$stamp" && return
    say "Installing what $1 pins (once)…"
    if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check \
            --requirement "$1" 2>.venv/pip.log; then
        if grep -q 'No space left' .venv/pip.log; then
            fail "The disk is full: about 300 MB are needed in $PWD."
        elif grep -qiE 'connection|resolve|timed out|retries|No matching distribution' .venv/pip.log; then
            fail "The packages could not be downloaded. Check the network (or pip's index settings) and start again. Details: $PWD/.venv/pip.log"
        fi
        fail "pip could not install the packages: $(tail -n 1 .venv/pip.log). Details: $PWD/.venv/pip.log"
    fi
    cp "$1" "$stamp"
}
