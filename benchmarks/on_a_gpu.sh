#!/usr/bin/env bash
# On a machine with a CUDA GPU: the tests that need one, then the rates of docs/performance.md. Ten minutes at most.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python}
$python -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' || { echo "There is no CUDA GPU here."; exit 1; }
timeout 240 $python -m pytest -q tests/training/test_on_a_gpu.py || echo "The tests on the GPU failed or took over 4 minutes."
timeout 120 $python -m morpholaw.bench.run tcvae
timeout 200 $python benchmarks/on_a_gpu.py
