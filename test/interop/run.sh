#!/usr/bin/env bash
# Runs the Python oracles: PyTorch, onnx and onnxruntime say what espalier should have computed.
# Needs Node with the project's packages (npm ci) and Python 3.11 or later; makes its own virtual environment.
# `modules` exports 310 files first, which takes minutes: EXPORTED=FOLDER keeps them. MODULES='*' tries all 510.
# Usage: test/interop/run.sh [oracle ...]   (default: all of gradients trajectories strategies files folders handover exported backend zoo train_zoo modules)
set -euo pipefail
cd "$(dirname "$0")/../.."

here=test/interop
venv=$here/.venv
wanted=$(sha256sum "$here/requirements.txt" | cut -d' ' -f1)
if [[ ! -f $venv/requirements.sha256 || $(<"$venv/requirements.sha256") != "$wanted" ]]; then
  rm -rf "$venv"
  "${PYTHON:-python3}" -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input -r "$here/requirements.txt"
  echo "$wanted" >"$venv/requirements.sha256"
fi

# espalier's half of the oracles, as one module beside the packages that it imports.
worker=node_modules/.cache/espalier/interop.mjs
npx --no-install esbuild "$here/worker/main.ts" --bundle --platform=node --format=esm --packages=external \
  --conditions=espalier-source --log-level=warning --outfile="$worker"

oracles=("$@")
((${#oracles[@]} > 0)) || oracles=(gradients trajectories strategies files folders handover exported backend zoo train_zoo modules)
failed=()
for oracle in "${oracles[@]}"; do
  echo "== $oracle"
  "$venv/bin/python" "$here/oracles/$oracle.py" "$worker" || failed+=("$oracle")
done
if ((${#failed[@]} > 0)); then
  echo "oracles that disagree: ${failed[*]}" >&2
  exit 1
fi
echo "all oracles agree"
