#!/usr/bin/env bash
# What this machine's GPU does, in under ten minutes: doctor, parity, bench, and PyTorch on the same shapes where Python has it.
#   benches/gpu.sh [--bin FOOTBRIDGE[.gz]] [--device cuda|cuda:N|cpu] [--out FOLDER] [--python PYTHON]
# FOOTBRIDGE may be stripped and compressed, for a machine that can build nothing:
#   cargo build --release --features cuda,fusion && strip -o footbridge target/release/footbridge && gzip -9 footbridge
# A binary with `fusion` is compared and measured with fusion and without; one without it, without. With --device cpu, or
# where there is no GPU, the same runs through on the CPU with smaller shapes. FOLDER gets every output. Exit code 1 where the
# device does not compute what the CPU computes.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin="" device=cuda out="" python=${PYTHON:-python3}
while [ $# -gt 0 ]; do
  case $1 in
    --bin) bin=$2; shift 2;;
    --device) device=$2; shift 2;;
    --out) out=$2; shift 2;;
    --python) python=$2; shift 2;;
    -h | --help) sed -n '2,8s/^# \?//p' "$0"; exit 0;;
    *) echo "gpu.sh: unknown argument $1" >&2; exit 2;;
  esac
done
[ -n "$out" ] || out=$(mktemp -d)
mkdir -p "$out"
if [ -z "$bin" ]; then
  (cd "$here/.." && cargo build --release --features cuda,fusion) || exit 1
  bin=${CARGO_TARGET_DIR:-$here/../target}/release/footbridge
fi
case $bin in
  *.gz)
    unpacked=$(mktemp -d) && trap 'rm -rf "$unpacked"' EXIT
    gunzip -c "$bin" >"$unpacked/footbridge" && chmod +x "$unpacked/footbridge" || exit 1
    bin=$unpacked/footbridge;;
esac
# Each new shape of a matrix product is tried with many kernels, and NVRTC takes a second or so for each: what is good enough
# ends the search here, so that the script ends in time. What was found is kept in the user's cache folder.
export CUBECL_AUTOTUNE_LEVEL=${CUBECL_AUTOTUNE_LEVEL:-minimal}
begun=$SECONDS
status=0
# part NAME SECONDS COMMAND …: runs it within the time and what is left of ten minutes, its output into FOLDER/NAME, and says
# how it went.
part() {
  local name=$1 limit=$2 rc=0 left=$((590 - (SECONDS - begun))); shift 2
  [ "$limit" -le $left ] || limit=$left
  echo "== $name ($((SECONDS - begun)) s)"
  [ $left -ge 10 ] || { echo "$name: no time left for it"; return 1; }
  timeout "$limit" "$@" >"$out/$name" 2>"$out/$name.err" || rc=$?
  cat "$out/$name"
  [ $rc -eq 0 ] || { echo "$name: exit code $rc"; tail -n 5 "$out/$name.err"; }
  return $rc
}
part doctor.txt 60 "$bin" doctor --device "$device"
found=$?
"$bin" doctor --device "$device" --json >"$out/doctor.json" 2>/dev/null
if [ $found -ne 0 ] && [ "$device" != cpu ]; then
  echo "no GPU that computes: going on with the CPU and smaller shapes; the figures of a GPU are owed"
  device=cpu
fi
if [ "$device" = cpu ]; then
  part parity.txt 120 "$bin" doctor --parity --device cpu || status=1
  part world.txt 120 "$bin" bench --device cpu
  part decode.txt 120 "$bin" bench --device cpu --only decode --batch 256,1024
else
  qwen=("$bin" bench --device "$device" --shape qwen2.5-0.5b --json)
  part parity.txt 200 "$bin" doctor --parity --device "$device" || status=1
  if grep -q '"fusion"' "$out/doctor.json"; then
    part fused.json 120 "${qwen[@]}" --only decode,sft --batch 256,1024
    # Everything else without it, as a build without the feature computes.
    export BURN_FUSION_MAX_EXPLORATIONS=0
  fi
  part decode.json 120 "${qwen[@]}" --only decode --batch 1,64,256,1024
  part sft.json 60 "${qwen[@]}" --only sft
fi
if "$python" -c 'import torch, transformers' 2>/dev/null; then
  if [ "$device" = cpu ]; then
    export OMP_WAIT_POLICY=PASSIVE
    part peers.json 120 "$python" "$here/peers/peers.py" --shape world --only decode --batch 64,256
  else
    part peers.json 120 "$python" "$here/peers/peers.py" --shape qwen2.5-0.5b --only decode,sft --batch 64,256,1024 \
      --device "$device" --dtype bfloat16
    ours=$out/decode.json,$out/sft.json
    part ratios.txt 10 "$python" "$here/peers/ratios.py" "$ours" "$out/peers.json"
  fi
else
  echo "== peers: $python has no torch and transformers"
fi
if [ "$device" != cpu ]; then
  part world.txt 90 "$bin" bench --device "$device"
  part nano.json 90 "${qwen[@]}" --only nano
fi
echo "== done in $((SECONDS - begun)) s; outputs in $out"
exit $status
