"""Shows that an adapter trained by Footbridge means the same to PEFT.

    python tests/transformers/adapter.py BASE ADAPTER MERGED

BASE is the student that was trained, ADAPTER what `footbridge export weights` wrote, MERGED what it wrote with `--merged`.
Both are loaded by transformers (the adapter by peft on top of BASE) and asked for logits on the same random tokens.
Exits with 1 where they differ by more than 1e-4 of the largest logit. Needs torch, transformers and peft.
"""

import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM


def main(base: str, adapter: str, merged: str) -> int:
    load = lambda folder: AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    plain, whole = load(base), load(merged)
    adapted = PeftModel.from_pretrained(load(base), adapter).eval()
    ids = torch.randint(0, plain.config.vocab_size, (2, 24), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before, by_peft, by_us = (model(ids).logits for model in (plain, adapted, whole))
    largest = by_us.abs().max().item()
    moved, apart = (by_us - before).abs().max().item(), (by_us - by_peft).abs().max().item()
    print(f"largest logit {largest:.4f}; the adapter moves logits by up to {moved:.4f}; "
          f"peft and the merged student differ by up to {apart:.2e}")
    return 0 if moved > 0 and apart <= 1e-4 * largest else 1


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
