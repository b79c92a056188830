"""Ratios of one `footbridge bench --json` and one `peers.py`: a table on stdout, and JSON with `--json`.

A ratio is theirs over ours for times and memory: over 1 is faster, or smaller, than theirs. Exit code 1 if a ratio is
under its target (decode at batch 64, the SFT step, the GRPO step, peak memory; of a GPU decode at batch 256 and the SFT step,
and tokens per second of both) and `--check` is given. Ours may be several files of one shape, `decode.json,sft.json`.
"""

import argparse
import json
import os
import sys

TARGETS = {
    "world": {"decode 64": 3.0, "sft": 1.7, "grpo": 2.0, "grpo, TRL": 2.0},
    "qwen2.5-0.5b": {"decode 64": 1.3, "sft": 1.4, "peak": 1.0},
}
# On a GPU: ratios to transformers, and tokens per second to reach on an H200.
GPU_TARGETS = {"qwen2.5-0.5b": {"decode 256": 5.0, "sft": 1.0}}
GPU_RATES = {"qwen2.5-0.5b": {"decode 256": 20_000, "decode 1024": 60_000, "sft": 40_000}}


def rates(ours):
    """Name and tokens per second of ours."""
    for mine in ours.get("decode", []):
        yield f"decode {mine['batch']}", mine["tokens_per_second"]
    if "sft" in ours:
        yield "sft", ours["sft"]["tokens_per_second"]


def rows(ours, theirs, trl):
    """Name, milliseconds of ours and theirs, processor milliseconds of ours and theirs."""
    if "prefill" in ours and "prefill" in theirs:
        yield "prefill", ours["prefill"]["ms"], theirs["prefill"]["ms"], ours["prefill"]["cpu_ms"], theirs["prefill"]["cpu_ms"]
    for mine in ours.get("decode", []):
        for other in theirs.get("decode", []):
            if mine["batch"] == other["batch"]:
                yield f"decode {mine['batch']}", mine["ms"], other["ms"], mine["cpu_ms"], other["cpu_ms"]
    for part in ("sft", "grpo"):
        if part in ours and part in theirs:
            mine, other = ours[part], theirs[part]
            yield part, mine["seconds"] * 1e3, other["seconds"] * 1e3, mine["cpu_seconds"] * 1e3, other["cpu_seconds"] * 1e3
    for part in ("sft", "grpo"):
        if part in ours and part in trl:
            mine, other = ours[part], trl[part]
            name = f"{part}, TRL"
            yield name, mine["seconds"] * 1e3, other["seconds"] * 1e3, mine["cpu_seconds"] * 1e3, other["cpu_seconds"] * 1e3


def read(path):
    """The last line that is JSON (TRL's trainers print before it); of several files, some maybe without, all keys together."""
    found = {}
    for one in filter(os.path.exists, path.split(",")):
        with open(one) as file:
            for line in [line for line in file if line.startswith("{\"")][-1:]:
                found |= json.loads(line)
    return found or sys.exit(f"no figures in {path}")


def peaks(ours, theirs):
    for mine in ours.get("decode", []):
        for other in theirs.get("decode", []):
            if mine["batch"] == other["batch"]:
                yield f"peak, decode {mine['batch']}", mine["peak_mib"], other["peak_mib"]
    for part in ("sft", "grpo"):
        if part in ours and part in theirs:
            yield f"peak, {part}", ours[part]["peak_mib"], theirs[part]["peak_mib"]
    # On a GPU each part says what it held there.
    if ours.get("device", "cpu") == "cpu":
        yield "peak", ours["peak_mib"], theirs["peak_mib"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("ours")
    parser.add_argument("theirs")
    parser.add_argument("--trl", help="output of trl_steps.py, on the same machine")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    ours, theirs, trl = read(args.ours), read(args.theirs), read(args.trl) if args.trl else {}
    shape, gpu = ours["shape"], ours.get("device", "cpu") != "cpu"
    targets = (GPU_TARGETS if gpu else TARGETS).get(shape, {})
    speeds = [dict(name=n, tokens_per_second=r, target=GPU_RATES.get(shape, {}).get(n)) for n, r in rates(ours) if gpu]
    out, missed = [], []
    for name, mine, other, mine_cpu, other_cpu in rows(ours, theirs, trl):
        entry = dict(
            name=name, ours_ms=mine, theirs_ms=other, ratio=other / mine, ours_cpu_ms=mine_cpu, theirs_cpu_ms=other_cpu,
            cpu_ratio=other_cpu / mine_cpu, target=targets.get(name),
        )
        out.append(entry)
    memory = [dict(name=n, ours_mib=m, theirs_mib=t, ratio=t / m, target=targets.get(n)) for n, m, t in peaks(ours, theirs)]
    missed = [e["name"] for e in out + memory if e["target"] and e["ratio"] < e["target"]]
    missed += [f"{e['name']} tokens/s" for e in speeds if e["target"] and e["tokens_per_second"] < e["target"]]
    if args.json:
        print(json.dumps(dict(shape=shape, peer=trl.get("peer", theirs["peer"]), threads=[ours["threads"], theirs["threads"]], times=out, memory=memory, speeds=speeds, missed=missed)))
    else:
        peer = trl.get("peer", theirs["peer"])
        print(f"\n{shape}: footbridge on {ours['threads']} threads beside {peer} on {theirs['threads']}")
        print(f"{'':20}{'ours':>12}{'theirs':>12}{'ratio':>8}{'CPU ratio':>11}{'target':>8}")
        for e in out:
            target = f"{e['target']:.1f}" if e["target"] else ""
            mine, other = f"{e['ours_ms']:.2f} ms", f"{e['theirs_ms']:.2f} ms"
            print(f"{e['name']:20}{mine:>12}{other:>12}{e['ratio']:>8.2f}{e['cpu_ratio']:>11.2f}{target:>8}")
        for e in memory:
            target = f"{e['target']:.1f}" if e["target"] else ""
            mine, other = f"{e['ours_mib']:.0f} MiB", f"{e['theirs_mib']:.0f} MiB"
            print(f"{e['name']:20}{mine:>12}{other:>12}{e['ratio']:>8.2f}{'':>11}{target:>8}")
        for e in speeds:
            target = f"{e['target']:,}" if e["target"] else ""
            print(f"{e['name']:20}{e['tokens_per_second']:>12,.0f} tokens/s{target:>42}")
        if missed:
            print("under the target: " + ", ".join(missed))
    sys.exit(1 if args.check and missed else 0)


main()
