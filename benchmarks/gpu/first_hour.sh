#!/usr/bin/env bash
# Measure the first hour's questions on a CUDA card with random weights, in about twelve minutes by
# estimate: no card has run it.
#
#   benchmarks/gpu/first_hour.sh                      every part, each at most three minutes
#   benchmarks/gpu/first_hour.sh --only oom           one part (repeatable)
#   benchmarks/gpu/first_hour.sh --cap-gib 23.5       imitate a 4090's memory on a larger card
#   benchmarks/gpu/first_hour.sh --rehearse           pico shapes on a processor: does it run?
#
# Each part prints its own JSON; the last line is JSON with all figures, null for what was not run.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec "${PYTHON:-python3}" benchmarks/gpu/first_hour.py "$@"
