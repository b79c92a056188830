#!/usr/bin/env bash
# footbridge bench and its peers on the same shapes, one after the other on this machine, and the ratios.
#   benches/compare.sh [--out FOLDER] [--python PYTHON] [--bin FOOTBRIDGE] [--check] [SHAPE …] [-- more arguments of both]
# Shapes: world, qwen2.5-0.5b (both without any named), llama-3.2-1b. FOLDER gets ours-, theirs- and ratios-SHAPE.json; of
# the world, without more arguments and where Python has TRL, also what its trainers take (trl-world.json).
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
    -h | --help) sed -n '2,5s/^# \?//p' "$0"; exit 0;;
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
  trl=()
  if [ "$shape" = world ]; then
    if ! "$python" -c 'import trl, datasets' 2>/dev/null; then
      echo "$python has no trl and datasets: GRPO is not held against TRL's trainer" >&2
    elif [ $# -eq 0 ]; then
      # Trainers talk a lot; what they say is kept.
      "$python" "$here/peers/trl_steps.py" >"$out/trl-world.json" 2>"$out/trl-world.err"
      trl=(--trl "$out/trl-world.json")
    fi
  fi
  files=("$out/ours-$shape.json" "$out/theirs-$shape.json" ${trl[@]+"${trl[@]}"})
  "$python" "$here/peers/ratios.py" --json "${files[@]}" >"$out/ratios-$shape.json"
  "$python" "$here/peers/ratios.py" $check "${files[@]}" || status=$?
done
echo "figures in $out"
exit $status
