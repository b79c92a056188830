//! Findings as lines.

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};

use super::cuda::{Cuda, Gpu};
use super::facts::Facts;
use super::parity::Report;
use crate::pipeline::memory::size;

/// All findings.
pub(super) fn facts(facts: &Facts) -> String {
    let features = if facts.build.features.is_empty() { "none".into() } else { facts.build.features.join(", ") };
    let mut text = String::new();
    let mut line = |name: &str, words: String| text += &format!("{name:<12}{words}\n");
    line("footbridge", format!("{}, {}, features: {features}", facts.build.version, facts.build.target));
    line("allocator", facts.build.allocator.into());
    let memory = facts.cpu.memory_available.map_or_else(|| "unknown".into(), size);
    line("cpu", format!("{} threads, {}, {memory} of memory available", facts.cpu.threads, facts.cpu.simd));
    match &facts.cuda {
        None => line("cuda", "not in this build".into()),
        Some(cuda) => cuda_lines(cuda, &mut line),
    }
    match &facts.device {
        Ok(name) => line("device", format!("{} computes on {name}", facts.asked)),
        Err(why) => line("device", format!("{} cannot be had: {why}", facts.asked)),
    }
    for missing in &facts.missing {
        text += &format!("\nmissing     {}\n  to do     {}\n", missing.what, missing.remedy);
    }
    text
}

fn cuda_lines(cuda: &Cuda, line: &mut impl FnMut(&str, String)) {
    let place =
        |path: &Option<std::path::PathBuf>| path.as_ref().map_or("not found".into(), |p| p.display().to_string());
    let state = |fault: &Option<String>| fault.as_ref().map_or("works".into(), |fault| format!("fails: {fault}"));
    line("cuda", format!("functions of CUDA {}", cuda.bindings));
    let version = cuda.driver.clone().map_or_else(String::new, |version| format!(" ({version})"));
    line("  driver", format!("{}{version}: {}", place(&cuda.driver_library), state(&cuda.driver_fault)));
    line("  nvrtc", format!("{}: {}", place(&cuda.nvrtc_library), state(&cuda.nvrtc_fault)));
    let headers = match &cuda.nvrtc_fault {
        None => state(&cuda.headers_fault),
        Some(_) => "not tried".into(),
    };
    line("  headers", format!("{}: {headers}", place(&cuda.headers)));
    if cuda.devices.is_empty() {
        line("  devices", "none".into());
    }
    for gpu in &cuda.devices {
        let Gpu { name, capability, memory, memory_free, multiprocessors, bf16, fault, .. } = gpu;
        let half = if *bf16 { "bf16" } else { "no bf16" };
        let words = format!(
            "{name}, compute capability {capability}, {multiprocessors} multiprocessors, {} of {} free, {half}: {}",
            size(*memory_free),
            size(*memory),
            state(fault).replace("works", "computes")
        );
        line(&format!("  {}", gpu.device), words);
    }
}

/// The comparison as a table.
pub(super) fn parity(report: &Report) -> String {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN);
    table.set_header(["student", "precision", "fusion", "what", "off by", "allowed", ""]);
    for column in [4, 5] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for row in &report.rows {
        let verdict = if row.fine { "" } else { "TOO FAR" };
        let (off, allowed) = (format!("{:.1e}", row.off), format!("{:.1e}", row.allowed));
        let fused = if row.fused { "fused" } else { "unfused" };
        table.add_row([&row.shape, &row.precision, fused, &row.what, &off, &allowed, verdict]);
    }
    let far = report.rows.iter().filter(|row| !row.fine).count();
    let verdict = match far {
        0 => "everything is within what rounding allows".to_owned(),
        n => format!("{n} of {} figures are too far off", report.rows.len()),
    };
    format!("{}, beside the CPU's kernels\n{table}\n{verdict}\n", report.device)
}
