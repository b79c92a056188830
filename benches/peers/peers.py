"""PyTorch and Hugging Face transformers on the shapes of `footbridge bench`: one JSON object on stdout.

Random weights, single precision, the same tokens, batches, contexts and step counts. What a step contains is the same
too: a decode step is the model with its cache, the output matrix and one multinomial draw per sequence; an SFT step is
forward, log-probs of 1 x 256 (world: 32 x 128) tokens, backward, global norm clip and AdamW; a GRPO step is rollouts of
fixed length by `generate`, log-probs under the frozen reference, forward, backward, clip and AdamW.
"""

import argparse
import json
import resource
import sys
import time

import torch
import transformers

SHAPES = {
    "world": dict(
        family="qwen2", vocab_size=348, hidden_size=128, intermediate_size=256, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=8192, rms_norm_eps=1e-6,
        rope_theta=10000.0, tie_word_embeddings=True,
    ),
    "qwen2.5-0.5b": dict(
        family="qwen2", vocab_size=151936, hidden_size=896, intermediate_size=4864, num_hidden_layers=24,
        num_attention_heads=14, num_key_value_heads=2, max_position_embeddings=32768, rms_norm_eps=1e-6,
        rope_theta=1000000.0, tie_word_embeddings=True,
    ),
    "llama-3.2-1b": dict(
        family="llama", vocab_size=128256, hidden_size=2048, intermediate_size=8192, num_hidden_layers=16,
        num_attention_heads=32, num_key_value_heads=8, head_dim=64, max_position_embeddings=131072, rms_norm_eps=1e-5,
        rope_theta=500000.0, tie_word_embeddings=True,
    ),
}
CONTEXT = 300


def tokens(n, seed, vocab):
    return [(i * 7919 + seed * 104729 + 13) % vocab for i in range(n)]


def make(shape, device, dtype):
    settings = dict(SHAPES[shape])
    family = settings.pop("family")
    config = {"qwen2": transformers.Qwen2Config, "llama": transformers.LlamaConfig}[family](**settings)
    # Uniform weights straight into place: drawing normal ones takes longer than the measurement.
    with transformers.initialization.no_init_weights() if hasattr(transformers, "initialization") else torch.no_grad():
        model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="sdpa", dtype=dtype)
    # Skipping the draw skips tying too.
    model.tie_weights()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1:
                parameter.uniform_(-0.0346, 0.0346)
            elif not name.endswith("bias"):
                parameter.fill_(1.0)
            else:
                parameter.zero_()
    return model.to(device)


class Clock:
    def __init__(self, device):
        self.device = device
        self.sync()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self.cpu, self.wall = usage.ru_utime + usage.ru_stime, time.perf_counter()

    def sync(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def stop(self):
        self.sync()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return time.perf_counter() - self.wall, usage.ru_utime + usage.ru_stime - self.cpu


def forget_peak():
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def peak_mib(device):
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    try:
        with open("/proc/self/status") as file:
            line = next(line for line in file if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def decode(model, device, batch, seconds):
    forget_peak()
    vocab = model.config.vocab_size
    model.eval()
    with torch.no_grad():
        ids = torch.tensor([tokens(CONTEXT, 0, vocab)], device=device)
        cache = transformers.DynamicCache(config=model.config)
        model(ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
        if batch > 1:
            cache.batch_repeat_interleave(batch)
        last = torch.ones(batch, 1, dtype=torch.long, device=device)

        def step(last):
            out = model(last, past_key_values=cache, use_cache=True, logits_to_keep=1)
            return torch.multinomial(torch.softmax(out.logits[:, -1].float(), -1), 1)

        last = step(last)
        clock = Clock(device)
        last = step(last)
        probe, _ = clock.stop()
        steps = max(3, min(4094, int(seconds / probe)))
        clock = Clock(device)
        for _ in range(steps):
            last = step(last)
        wall, cpu = clock.stop()
    return dict(
        batch=batch, context=CONTEXT, steps=steps, ms=wall / steps * 1e3, cpu_ms=cpu / steps * 1e3,
        tokens_per_second=batch * steps / wall, peak_mib=peak_mib(device),
    )


def prefill(model, device):
    model.eval()
    ids = torch.tensor([tokens(CONTEXT, 0, model.config.vocab_size)], device=device)
    with torch.no_grad():
        for _ in range(2):
            clock = Clock(device)
            model(ids, use_cache=True, logits_to_keep=1)
            wall, cpu = clock.stop()
    return dict(tokens=CONTEXT, ms=wall * 1e3, cpu_ms=cpu * 1e3)


def optimizer_of(model):
    return torch.optim.AdamW(model.parameters(), lr=1e-5, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)


def sft(model, device, sequences, length, repeats):
    forget_peak()
    model.train()
    optimizer = optimizer_of(model)
    ids = torch.tensor([tokens(length + 1, seed, model.config.vocab_size) for seed in range(sequences)], device=device)

    def step():
        logits = model(ids[:, :-1], use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), ids[:, 1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    step()
    clock = Clock(device)
    for _ in range(repeats):
        step()
    wall, cpu = clock.stop()
    return dict(
        sequences=sequences, length=length, seconds=wall / repeats, cpu_seconds=cpu / repeats,
        tokens_per_second=sequences * length * repeats / wall, peak_mib=peak_mib(device),
    )


def grpo(model, device, prompts, group, prompt_tokens, response_tokens):
    forget_peak()
    import copy

    reference = copy.deepcopy(model).eval()
    optimizer = optimizer_of(model)
    ids = torch.tensor([tokens(prompt_tokens, i, model.config.vocab_size) for i in range(prompts)], device=device)
    ids = ids.repeat_interleave(group, 0)
    rewards = torch.tensor([float(i % 2) for i in range(group)], device=device).repeat(prompts, 1)
    advantage = (rewards - rewards.mean(1, keepdim=True)) / (rewards.std(1, keepdim=True) + 1e-6)
    advantage = advantage.flatten()[:, None]

    def log_probs(policy, full):
        logits = policy(full[:, :-1], use_cache=False, logits_to_keep=response_tokens).logits.float()
        return torch.log_softmax(logits, -1).gather(-1, full[:, prompt_tokens:, None]).squeeze(-1)

    def step():
        model.eval()
        clock = Clock(device)
        with torch.no_grad():
            full = model.generate(
                ids, attention_mask=torch.ones_like(ids), do_sample=True, top_k=0, top_p=1.0, temperature=1.0,
                max_new_tokens=response_tokens, min_new_tokens=response_tokens, eos_token_id=None, pad_token_id=0,
            )
        rollouts = clock.stop()
        clock = Clock(device)
        model.train()
        with torch.no_grad():
            fixed = log_probs(reference, full)
        current = log_probs(model, full)
        ratio = torch.exp(current - current.detach())
        policy = -torch.minimum(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage)
        d = fixed - current
        loss = (policy + 0.001 * (torch.exp(d) - d - 1)).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return rollouts, clock.stop()

    step()
    (roll_wall, roll_cpu), (wall, cpu) = step()
    return dict(
        prompts=prompts, group=group, prompt_tokens=prompt_tokens, response_tokens=response_tokens,
        rollout_seconds=roll_wall, update_seconds=wall, seconds=roll_wall + wall, cpu_seconds=roll_cpu + cpu,
        tokens_per_second=prompts * group * response_tokens / (roll_wall + wall), peak_mib=peak_mib(device),
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", choices=SHAPES, default="world")
    parser.add_argument("--batch", default="1,8,64")
    parser.add_argument("--only", default="")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    world = args.shape == "world"
    parts = args.only.split(",") if args.only else ["decode", "sft", "grpo"] if world else ["decode", "sft"]
    device = torch.device(args.device)
    torch.manual_seed(1)
    forget_peak()
    model = make(args.shape, device, getattr(torch, args.dtype))
    result = dict(
        peer=f"torch {torch.__version__}, transformers {transformers.__version__}", shape=args.shape,
        threads=torch.get_num_threads(), parameters=sum(p.numel() for p in model.parameters()),
    )
    peaks = []
    if "decode" in parts:
        print("peers: reading a prompt and decoding", file=sys.stderr)
        result["prefill"] = prefill(model, device)
        seconds = 0.5 if world else 4.0
        result["decode"] = [decode(model, device, int(batch), seconds) for batch in args.batch.split(",")]
        peaks += [d["peak_mib"] for d in result["decode"]]
    if "grpo" in parts:
        print("peers: two GRPO steps", file=sys.stderr)
        size = (8, 8, 64, 128) if world else (1, 4, 64, 32) if device.type == "cpu" else (8, 8, 256, 256)
        result["grpo"] = grpo(model, device, *size)
        peaks.append(result["grpo"]["peak_mib"])
    if "sft" in parts:
        print("peers: SFT steps", file=sys.stderr)
        # As footbridge bench: more on a GPU, which would be idle with one sequence.
        size = (32, 128, 10) if world else (1, 256, 2) if device.type == "cpu" else (16, 512, 5)
        result["sft"] = sft(model, device, *size)
        peaks.append(result["sft"]["peak_mib"])
    result["peak_mib"] = max(peaks, default=peak_mib(device))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
