//! How long choosing and sorting 100,000 rows takes: the filter and the table's order over made-up questions.

use std::time::Instant;

use crate::workbench::filter::{Field, Fields, Filter};
use crate::workbench::widgets::table::{number, sort};

/// Rows that are chosen from and sorted.
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

/// Milliseconds; what the work gives is used, so that it is done.
fn median(mut work: impl FnMut() -> usize) -> f64 {
    let mut times = [0.0; 9];
    for time in &mut times {
        let begin = Instant::now();
        std::hint::black_box(work());
        *time = begin.elapsed().as_secs_f64() * 1e3;
    }
    times.sort_by(f64::total_cmp);
    times[4]
}

/// The median of nine runs of each deed, milliseconds, and over how many rows.
pub fn measure() -> Vec<(String, usize, f64)> {
    let fields = vec![Field::number("rho"), Field::number("steps"), Field::words("band", ["simple", "medium", "hard"])];
    let rows = Rows { fields, texts: texts() };
    let mut figures = Vec::new();
    for text in ["band:hard steps>4 rho<0.1", "\"geese are\"", "geese", "market pond", "xylophone"] {
        let took = median(|| Filter::parse(text, &rows).map_or(0, |filter| filter.choose(&rows, &|| true).rows.len()));
        figures.push((format!("filter {text}"), ROWS, took));
    }
    let took = median(|| {
        let mut order: Vec<u32> = (0..ROWS as u32).collect();
        sort(&mut order, true, |row| rows.number(row as usize, 0).and_then(number));
        order.len()
    });
    figures.push(("sort by a number".to_string(), ROWS, took));
    let took = median(|| {
        let mut order: Vec<u32> = (0..ROWS as u32).collect();
        sort(&mut order, false, |row| Some(rows.text(row as usize)));
        order.len()
    });
    figures.push(("sort by text".to_string(), ROWS, took));
    figures
}
