//! `schedule.json`: the rates of warm-up and cosine.

use footbridge::train::schedule::warmup_cosine;

use super::{json, number, numbers};

#[test]
fn rates_follow_the_reference() {
    let file = json(&super::fixtures().join("schedule.json"));
    let rows = file["schedules"].as_array().unwrap();
    assert!(!rows.is_empty());
    for row in rows {
        let total = number(&row["total_steps"]) as usize;
        let rates = numbers(&row["rates"]);
        assert_eq!(rates.len(), total);
        for (update, want) in rates.iter().enumerate() {
            let (ratio, low) = (number(&row["warmup_ratio"]), number(&row["min_lr_ratio"]));
            let got = warmup_cosine(update, total, number(&row["lr"]), ratio, low);
            assert!((got - want).abs() <= 1e-12, "{total} updates, update {update}: {got} against {want}");
        }
    }
}
