//! `schedule.json`: the rates of warm-up and cosine.

use footbridge::train::schedule::WarmupCosine;

#[test]
fn rates_follow_the_reference() {
    let file = super::fixtures().join("schedule.json");
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let rows = json["schedules"].as_array().unwrap();
    assert!(!rows.is_empty());
    for row in rows {
        let schedule = WarmupCosine {
            peak: row["lr"].as_f64().unwrap(),
            total: row["total_steps"].as_u64().unwrap() as usize,
            warmup_ratio: row["warmup_ratio"].as_f64().unwrap(),
            min_ratio: row["min_lr_ratio"].as_f64().unwrap(),
        };
        assert_eq!(schedule.warmup_updates() as u64, row["warmup_steps"].as_u64().unwrap());
        let rates = super::numbers(&row["rates"]);
        assert_eq!(rates.len(), schedule.total);
        for (update, want) in rates.iter().enumerate() {
            let got = schedule.rate(update);
            assert!((got - want).abs() <= 1e-12, "{schedule:?}, update {update}: {got} against {want}");
        }
    }
}
