"""Holds a student that Footbridge saved against Hugging Face transformers.

    footbridge student logits FOLDER --text "What is 7 times 8?" > said.json
    python tests/transformers/parity.py FOLDER said.json

or, with the program named, for any number of folders:

    python tests/transformers/parity.py --footbridge target/release/footbridge FOLDER...

Checked per question: the rendered chat and its ids are those of the tokenizer's own template, every logit agrees within
the tolerance (single precision), and the greedy answers are the same. Needs torch and transformers; nothing is
downloaded. Run by hand; exit code 1 where something differs.

The date: Llama 3.2's template writes today's (`strftime_now`), Footbridge always 26 July 2024 (see
src/student/template.rs), so such a template is given that date here.
"""
import argparse
import json
import os
import subprocess
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

QUESTIONS = [
    "Mia has 12 marbles. She gives 5 to Tom and buys 9 more. How many marbles does she have?",
    "What is 7 times 8?",
    "Zoë’s café sells 3 crèmes brûlées at 4½ € each. 一共多少钱？ 😀",
    "  Layout:\n\n| x | y |\n|---|---|\n| 10 | 250 |  \n",
    "",
]


def say(program, folder):
    command = [program, "student", "logits", folder, "--last", "1000", "--greedy", "48"]
    for question in QUESTIONS:
        command.append("--text=" + question)
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def greedy(model, ids, count):
    """The continuation, and by how much the best logit leads the second at least."""
    out, lead = list(ids), float("inf")
    for _ in range(count):
        best = model(torch.tensor([out])).logits[0, -1].topk(2)
        lead = min(lead, (best.values[0] - best.values[1]).item())
        out.append(best.indices[0].item())
    return out[len(ids):], lead


def tokenizer_of(folder):
    """The tokenizer as the folder names it: for a Qwen2 model transformers 5 takes Qwen2's whatever is named."""
    with open(os.path.join(folder, "tokenizer_config.json"), encoding="utf-8") as config:
        generic = json.load(config).get("tokenizer_class") == "PreTrainedTokenizerFast"
    return (PreTrainedTokenizerFast if generic else AutoTokenizer).from_pretrained(folder)


@torch.no_grad()
def compare(folder, said, tolerance):
    """Faults as text, the largest difference of a logit, and how many logits were compared."""
    tokenizer = tokenizer_of(folder)
    model, info = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager",
                                                       output_loading_info=True)
    model.eval()
    faults = [f"{kind}: {sorted(names)}" for kind, names in info.items() if names]
    worst, compared, least_lead = 0.0, 0, float("inf")
    for row in said["rows"]:
        chat = [{"role": "user", "content": row["question"]}]
        date = {"date_string": "26 Jul 2024"} if "strftime_now" in tokenizer.chat_template else {}
        text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True, **date)
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        if text != row["text"]:
            faults.append(f"{row['question']!r}: rendered as {row['text']!r}, transformers has {text!r}")
        if ids != row["ids"]:
            faults.append(f"{row['question']!r}: ids {row['ids']}, transformers has {ids}")
        ours = torch.tensor(row["logits"])
        theirs = model(torch.tensor([row["ids"]])).logits[0, -len(ours):]
        worst, compared = max(worst, (ours - theirs).abs().max().item()), compared + ours.numel()
        answer, lead = greedy(model, row["ids"], len(row["greedy"]))
        least_lead = min(least_lead, lead)
        if answer != row["greedy"]:
            faults.append(f"{row['question']!r}: greedy {row['greedy']}, transformers has {answer}")
    if worst > tolerance:
        faults.append(f"logits differ by {worst:.2e}")
    return faults, worst, compared, least_lead


def main():
    ap = argparse.ArgumentParser(description="Footbridge's students beside transformers")
    ap.add_argument("folders", nargs="+", help="a folder and its JSON, or with --footbridge any folders")
    ap.add_argument("--footbridge", help="the program")
    ap.add_argument("--tolerance", type=float, default=1e-4)
    args = ap.parse_args()
    torch.set_num_threads(1)
    if args.footbridge:
        pairs = [(folder, say(args.footbridge, folder)) for folder in args.folders]
    elif len(args.folders) == 2:
        with open(args.folders[1], encoding="utf-8") as file:
            pairs = [(args.folders[0], json.load(file))]
    else:
        ap.error("give a folder and the JSON of `footbridge student logits`, or --footbridge")
    failed = False
    for folder, said in pairs:
        faults, worst, compared, lead = compare(folder, said, args.tolerance)
        print(f"{folder}: {len(said['rows'])} chats, {compared} logits, largest difference {worst:.2e}; "
              f"greedy answers led by {lead:.1e} at least")
        for fault in faults:
            print("  FAULT:", fault)
        failed |= bool(faults)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
