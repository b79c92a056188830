//! How long a filter takes over 100,000 rows, and how long sorting them takes.
//!
//! `cargo run --release --example filter_speed` makes questions up and prints the median of nine runs of each filter.

use std::io::Write;
use std::time::Instant;

use footbridge::workbench::filter::{Field, Fields, Filter};
use footbridge::workbench::widgets::table::{number, sort};

const ROWS: usize = 100_000;

struct Rows {
    fields: Vec<Field>,
    texts: Vec<String>,
}

impl Fields for Rows {
    fn fields(&self) -> &[Field] {
        &self.fields
    }

    fn len(&self) -> usize {
        self.texts.len()
    }

    fn number(&self, row: usize, field: usize) -> Option<f64> {
        Some(if field == 0 { (row % 65) as f64 / 64.0 } else { (row % 9) as f64 })
    }

    fn any(&self, row: usize, _field: usize, fits: &mut dyn FnMut(&str) -> bool) -> bool {
        fits(["simple", "medium", "hard"][row % 3])
    }

    fn text(&self, row: usize) -> &str {
        &self.texts[row]
    }
}

/// Questions of about 200 letters out of a few hundred words.
fn texts() -> Vec<String> {
    let words = "how many geese are in the pond when each of them has eaten three loaves bread after sunrise and Carla \
                 drank twice as much water minus six ounces while Tank gathered ten more eggs than Emma did yesterday \
                 so what is left over for everybody else who came late to a market near her old blue house";
    let words: Vec<&str> = words.split_whitespace().collect();
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    (0..ROWS).map(|_| (0..40).map(|_| words[next() % words.len()]).collect::<Vec<_>>().join(" ")).collect()
}

fn median(mut work: impl FnMut() -> usize) -> (f64, usize) {
    let mut times = Vec::new();
    let mut kept = 0;
    for _ in 0..9 {
        let begin = Instant::now();
        kept = work();
        times.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    (times[4], kept)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let fields = vec![Field::number("rho"), Field::number("steps"), Field::words("band", ["simple", "medium", "hard"])];
    let rows = Rows { fields, texts: texts() };
    let mut out = std::io::stdout();
    for text in
        ["band:hard", "band:hard steps>4 rho<0.1", "\"geese are\"", "geese", "sunrize", "market pond", "xylophone"]
    {
        let (took, kept) =
            median(|| Filter::parse(text, &rows).map_or(0, |filter| filter.choose(&rows, &|| true).rows.len()));
        writeln!(out, "{took:7.1} ms  {kept:6} of {ROWS}  {text}")?;
    }
    let (took, _) = median(|| {
        let mut order: Vec<u32> = (0..ROWS as u32).collect();
        sort(&mut order, true, |row| rows.number(row as usize, 0).and_then(number));
        order.len()
    });
    writeln!(out, "{took:7.1} ms  sorted by a number")?;
    let (took, _) = median(|| {
        let mut order: Vec<u32> = (0..ROWS as u32).collect();
        sort(&mut order, false, |row| Some(rows.text(row as usize)));
        order.len()
    });
    writeln!(out, "{took:7.1} ms  sorted by their texts")?;
    Ok(())
}
