#!/usr/bin/env bash
# footbridge bench and its peers on the same shapes, one after the other on this machine, and the ratios.
#   benches/compare.sh [--out FOLDER] [--python PYTHON] [--bin FOOTBRIDGE] [--check] [SHAPE …] [-- more arguments of both]
# Shapes: world, qwen2.5-0.5b (both without any named), llama-3.2-1b. FOLDER gets ours-, theirs- and ratios-SHAPE.json.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out="" python=${PYTHON:-python3} bin=${FOOTBRIDGE:-} check="" shapes=()
while [ $# -gt 0 ]; do
  case $1 in
    --out) out=$2; shift 2;;
    --python) python=$2; shift 2;;
    --bin) bin=$2; shift 2;;
    --check) check=--check; shift;;
    --) shift; break;;
    -h | --help) sed -n '2,4s/^# \?//p' "$0"; exit 0;;
    *) shapes+=("$1"); shift;;
  esac
done
[ ${#shapes[@]} -gt 0 ] || shapes=(world qwen2.5-0.5b)
[ -n "$out" ] || out=$(mktemp -d)
mkdir -p "$out"
if [ -z "$bin" ]; then
  (cd "$here/.." && cargo build --release)
  bin=${CARGO_TARGET_DIR:-$here/../target}/release/footbridge
fi
# Waiting threads that spin would take the other side's processor time.
export OMP_WAIT_POLICY=PASSIVE
status=0
for shape in "${shapes[@]}"; do
  "$bin" bench --shape "$shape" --json "$@" >"$out/ours-$shape.json"
  "$python" "$here/peers/peers.py" --shape "$shape" "$@" >"$out/theirs-$shape.json"
  "$python" "$here/peers/ratios.py" --json "$out/ours-$shape.json" "$out/theirs-$shape.json" >"$out/ratios-$shape.json"
  "$python" "$here/peers/ratios.py" $check "$out/ours-$shape.json" "$out/theirs-$shape.json" || status=$?
done
echo "figures in $out"
exit $status
