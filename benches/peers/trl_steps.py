"""TRL's trainers on the world shape of `footbridge bench`: one JSON object on stdout.

GRPOTrainer with its rollouts (transformers' generate, no server) and SFTTrainer, single precision, AdamW, no gradient
checkpointing, the tokens, batches and lengths of `peers.py`. A tokenizer of as many words as the shape has tokens is made
here; end-of-turn is suppressed, so that every response has the full length. GRPO keeps a reference (beta 0.001), as
footbridge does. A step is timed from the end of the one before to its own end, so all that the trainer does is in it.
"""

import argparse
import json
import os
import sys
import tempfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")

import datasets
import torch
import transformers
import trl
from tokenizers import Tokenizer, models, pre_tokenizers

from peers import Clock, SHAPES, forget_peak, make, peak_mib, tokens

PROMPTS, GROUP, PROMPT, RESPONSE = 8, 8, 64, 128
SEQUENCES, LENGTH, REPEATS = 32, 128, 10


def tokenizer_of(vocab):
    words = {f"w{i}": i for i in range(vocab)}
    inner = Tokenizer(models.WordLevel(words, unk_token="w0"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, unk_token="w0", pad_token="w0", eos_token=f"w{vocab - 1}", padding_side="left"
    )


class Timer(transformers.TrainerCallback):
    """Seconds of every step after the first, which warms up."""

    def __init__(self, device):
        self.device, self.clock, self.steps = device, None, []

    def on_step_end(self, *_, **__):
        if self.clock:
            self.steps.append(self.clock.stop())
        self.clock = Clock(self.device)

    def mean(self):
        wall, cpu = zip(*self.steps)
        return sum(wall) / len(wall), sum(cpu) / len(cpu)


def settings(folder, batch, steps, rate):
    return dict(
        output_dir=folder, per_device_train_batch_size=batch, gradient_accumulation_steps=1, max_steps=steps,
        learning_rate=rate, lr_scheduler_type="constant", weight_decay=0.01, max_grad_norm=1.0, optim="adamw_torch",
        bf16=False, fp16=False, gradient_checkpointing=False, use_cpu=True, report_to="none", save_strategy="no",
        logging_steps=1000, disable_tqdm=True, seed=1,
    )


def grpo(folder, tokenizer, vocab, device):
    forget_peak()
    rows = [{"prompt": " ".join(f"w{t}" for t in tokens(PROMPT, i, vocab))} for i in range(PROMPTS)]
    config = trl.GRPOConfig(
        **settings(folder, PROMPTS * GROUP, 3, 1e-6), num_generations=GROUP, max_completion_length=RESPONSE, beta=0.001,
        temperature=1.0, top_k=0, top_p=1.0, generation_kwargs={"min_new_tokens": RESPONSE}, num_iterations=1,
        model_init_kwargs={"dtype": "float32", "attn_implementation": "sdpa"},
    )
    written = []

    def reward(completion_ids, **_):
        written.extend(len(ids) for ids in completion_ids)
        return [float(i % 2) for i in range(len(completion_ids))]

    timer = Timer(device)
    trl.GRPOTrainer(
        model=folder, reward_funcs=reward, args=config, train_dataset=datasets.Dataset.from_list(rows),
        processing_class=tokenizer, callbacks=[timer],
    ).train()
    assert set(written) == {RESPONSE}, f"responses of other lengths: {sorted(set(written))}"
    wall, cpu = timer.mean()
    return dict(
        prompts=PROMPTS, group=GROUP, prompt_tokens=PROMPT, response_tokens=RESPONSE, seconds=wall, cpu_seconds=cpu,
        tokens_per_second=PROMPTS * GROUP * RESPONSE / wall, peak_mib=peak_mib(device),
    )


def sft(folder, tokenizer, vocab, device):
    forget_peak()
    rows = [{"input_ids": tokens(LENGTH, i, vocab)} for i in range(SEQUENCES)]
    config = trl.SFTConfig(
        **settings(folder, SEQUENCES, 1 + REPEATS, 1e-5), max_length=None, packing=False,
        model_init_kwargs={"dtype": "float32", "attn_implementation": "sdpa"},
    )
    timer = Timer(device)
    trl.SFTTrainer(
        model=folder, args=config, train_dataset=datasets.Dataset.from_list(rows), processing_class=tokenizer,
        callbacks=[timer],
    ).train()
    wall, cpu = timer.mean()
    return dict(
        sequences=SEQUENCES, length=LENGTH, seconds=wall, cpu_seconds=cpu, tokens_per_second=SEQUENCES * LENGTH / wall,
        peak_mib=peak_mib(device),
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="grpo,sft")
    parser.add_argument("--threads", type=int, default=0)
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    device, vocab = torch.device("cpu"), SHAPES["world"]["vocab_size"]
    result = dict(
        peer=f"trl {trl.__version__}, torch {torch.__version__}, transformers {transformers.__version__}", shape="world",
        threads=torch.get_num_threads(),
    )
    with tempfile.TemporaryDirectory() as folder:
        model, tokenizer = make("world", device, torch.float32), tokenizer_of(vocab)
        model.generation_config.pad_token_id, model.generation_config.eos_token_id = 0, vocab - 1
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        for name, part in (("grpo", grpo), ("sft", sft)):
            if name in args.only.split(","):
                print(f"trl: {name}", file=sys.stderr)
                result[name] = part(folder, tokenizer, vocab, device)
    # Trainers print on stdout: the figures are its last line.
    print(json.dumps(result))


if __name__ == "__main__":
    main()
