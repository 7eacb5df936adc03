# shellcheck shell=bash
# What setup stands on: where things are, and how a step is shown. Sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=${RAPPORT_VENV:-$root/.venv}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/rapport
# shellcheck disable=SC2034  # for those who source this
models=${RAPPORT_MODELS:-$cache/models}
log=$cache/setup.log

export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

say() { printf '%s\n' "$*"; }

fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

# pins_extra MODEL KERNEL  prints which extra of setup.cfg has the pins of a board; nothing: it is no
# Raspberry Pi. RPi.GPIO knows neither the chip of the Pi 5 nor, from 6.6 on, the kernel's new
# numbers of pins, and finds no edges.
pins_extra() {
    local major minor
    case $1 in
    *'Raspberry Pi 5'* | *'Raspberry Pi Compute Module 5'* | *'Raspberry Pi 500'*) echo pi5 ;;
    *'Raspberry Pi'*)
        IFS=. read -r major minor _ <<<"$2"
        if [ "$major" -gt 6 ] || { [ "$major" -eq 6 ] && [ "${minor%%[!0-9]*}" -ge 6 ]; }; then
            echo pi5
        else
            echo pi
        fi
        ;;
    esac
}

# step TITLE PROBE COMMAND...  runs a command with its output in the log and shows one line for it;
# PROBE is a function that prints how far it is.
step() {
    local title=$1 probe=$2 begun=$SECONDS shown=$SECONDS status=0 pid
    shift 2
    printf '\n== %s: %s\n' "$title" "$*" >>"$log"
    set -m # a process group of its own, so that Ctrl-C can end all of it
    "$@" >>"$log" 2>&1 </dev/null &
    pid=$!
    set +m
    # shellcheck disable=SC2064  # the process of now
    trap "kill -- -$pid 2>/dev/null; exit 130" INT TERM
    while kill -0 "$pid" 2>/dev/null; do
        if [ -t 1 ]; then
            printf '\r\033[K  … %s %s (%d s)' "$title" "$($probe)" $((SECONDS - begun))
        elif [ $((SECONDS - shown)) -ge 15 ]; then # a log wants a sign of life, not an animation
            shown=$SECONDS
            printf '  … %s %s (%d s)\n' "$title" "$($probe)" $((SECONDS - begun))
        fi
        sleep 0.3
    done
    wait "$pid" || status=$?
    trap - INT TERM
    [ -t 1 ] && printf '\r\033[K'
    if [ "$status" -ne 0 ]; then
        printf '  ✗ %s (%d s)\n' "$title" $((SECONDS - begun))
        tail -n 25 "$log" >&2
        fail "$title failed; the whole output is in $log"
    fi
    printf '  ✓ %s (%d s)\n' "$title" $((SECONDS - begun))
}

nothing() { :; }

# How many megabytes a step has put into the environment so far.
installed() { printf '%s MB' "$(du -sm "$venv" 2>/dev/null | cut -f1)"; }

# The last "[n/m]" of the compiler's output.
compiled() { tail -c 20000 "$log" | grep -o '\[[0-9]*/[0-9]*\]' | tail -n 1; }
