//! The figures as lines.

use super::{Bench, Pace, peaks};
use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};

/// All that was measured.
pub(super) fn lines(bench: &Bench) -> String {
    let Bench { shape, threads, parameters, peak_mib, device, precision, .. } = bench;
    let millions = *parameters as f64 / 1e6;
    let mut text = format!("{shape}: {millions:.1} million parameters, {precision}, {threads} threads\n");
    if device != "cpu" {
        text += &format!("on {device}\n");
    }
    if let Some(paces) = &bench.paces {
        text += &pace("sampling, top-p 0.9", paces.sampling);
        text += &pace("sampling, all tokens", paces.rollouts);
        text += &pace("training", paces.training);
    }
    let mut rows = Vec::new();
    if let Some(p) = bench.prefill {
        let rate = p.tokens as f64 / p.ms * 1e3;
        rows.push(row(format!("prompt of {} tokens", p.tokens), p.ms, p.cpu_ms, rate, p.gflops, None, None));
    }
    for d in &bench.decode {
        let name = format!("decode, batch {}, context {}", d.batch, d.context);
        let (gb, peak) = (Some(d.gb_per_second), Some(d.peak_mib));
        let mut cells = row(name, d.ms, d.cpu_ms, d.tokens_per_second, d.gflops, gb, peak);
        cells.extend([percent(d.flops_share), percent(d.bandwidth_share)].into_iter().flatten());
        rows.push(cells);
    }
    if let Some(s) = bench.sft {
        let name = format!("SFT step, {} x {} tokens", s.sequences, s.length);
        let (ms, cpu) = (s.seconds * 1e3, s.cpu_seconds * 1e3);
        let mut cells = row(name, ms, cpu, s.tokens_per_second, s.gflops, None, Some(s.peak_mib));
        cells.extend(percent(s.flops_share));
        rows.push(cells);
    }
    if let Some(g) = bench.grpo {
        let name =
            format!("GRPO step, {} x {} of {} + {} tokens", g.prompts, g.group, g.prompt_tokens, g.response_tokens);
        let (ms, cpu) = (g.seconds * 1e3, g.cpu_seconds * 1e3);
        rows.push(row(name, ms, cpu, g.tokens_per_second, f64::NAN, None, Some(g.peak_mib)));
        let share = g.rollout_seconds / g.seconds * 100.0;
        rows.push(vec![format!("  of it rollouts {share:.0} %")]);
    }
    if let Some(n) = bench.nano {
        let name = format!("{} sequences, {} tokens read, {} written", n.sequences, n.read, n.written);
        let (ms, cpu) = (n.seconds * 1e3, n.cpu_seconds * 1e3);
        rows.push(row(name, ms, cpu, n.tokens_per_second, f64::NAN, None, Some(n.peak_mib)));
    }
    if !rows.is_empty() {
        let mut table = Table::new();
        table.load_preset(ASCII_MARKDOWN);
        let known = peaks::of(device).is_some();
        let mut header = vec!["", "ms", "CPU-ms", "tokens/s", "GFLOP/s", "GB/s", "peak MiB"];
        if known {
            header.extend(["of FLOP/s", "of GB/s"]);
        }
        table.set_header(header);
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table.add_rows(rows);
        text += &format!("{table}\n");
    }
    if let Some(held) = bench.device_mib {
        text += &format!("memory held on the device {held:.0} MiB\n");
    }
    text + &format!("peak memory {peak_mib:.0} MiB\n")
}

/// A share of a peak; nothing where the peak is not known.
fn percent(share: Option<f64>) -> Option<String> {
    share.map(|share| format!("{:.1} %", share * 100.0))
}

fn pace(name: &str, pace: Pace) -> String {
    let (rate, cpu, wall) = (pace.per_cpu_second(), pace.cpu_seconds, pace.seconds);
    format!("{name:<24}{rate:>10.0} tokens per CPU-second   {:>8} tokens, {cpu:.2} CPU-s, {wall:.2} s\n", pace.tokens)
}

fn row(name: String, ms: f64, cpu: f64, rate: f64, gflops: f64, gb: Option<f64>, peak: Option<f64>) -> Vec<String> {
    let time = |ms: f64| if ms < 100.0 { format!("{ms:.2}") } else { format!("{ms:.0}") };
    let known = |x: Option<f64>| x.filter(|x| x.is_finite()).map_or_else(String::new, |x| format!("{x:.0}"));
    vec![name, time(ms), time(cpu), format!("{rate:.0}"), known(Some(gflops)), known(gb), known(peak)]
}
