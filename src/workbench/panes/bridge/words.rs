//! Reasons and figures in words.

use super::book::Ground;
use super::page::{By, Step};
use crate::domain::bridging::unscored;
use crate::domain::{Action, StepScores, Thresholds, decide};
use crate::session::show_time;
use crate::workbench::look::Glyphs;
use crate::workbench::text;

/// The letter of an operation.
pub fn letter(action: Action) -> &'static str {
    match action {
        Action::Keep => "K",
        Action::Compress => "C",
        Action::Expand => "E",
        Action::Drop => "D",
        Action::Localize => "L",
    }
}

/// `.75`, `1.00`, `12.5`: two decimals, without the zero in front.
pub fn figure(value: f64) -> String {
    figure_to(value, 2)
}

fn figure_to(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return "?".to_string();
    }
    let decimals = if value.abs() >= 9.995 { decimals.min(1) } else { decimals };
    let text = format!("{value:.decimals$}");
    text.strip_prefix('0').map_or(text.clone(), str::to_string)
}

/// `1.34 > 1.26`. Where two decimals would hide the difference there are more.
pub fn against(value: f64, tau: f64, glyphs: &Glyphs) -> String {
    let sign = if value > tau { ">" } else { glyphs.at_most };
    let told = |decimals| (figure_to(value, decimals), figure_to(tau, decimals));
    let (a, b) = (2..=6).map(told).find(|(a, b)| a != b || value.total_cmp(&tau).is_eq()).unwrap_or_else(|| told(6));
    format!("{a} {sign} {b}")
}

/// What Algorithm 1 says of these scores: `I .75 > .50, J .25 ≤ .50, D 1.34 > 1.26 → localize`.
pub fn rule(scores: &StepScores, thresholds: &Thresholds, removed: &[Action], glyphs: &Glyphs) -> String {
    let Some(decision) = decide(scores, thresholds) else {
        let open = [("I", scores.importance.is_none()), ("J", scores.jumpiness.is_none())];
        let open: Vec<&str> = open.iter().filter(|(_, open)| *open).map(|(name, _)| *name).collect();
        let open = if open.is_empty() { "D".to_string() } else { open.join(" and ") };
        return format!("{open} open: no answer of a judge is known, so the step is kept until somebody decides");
    };
    let held = |name: &str, value: Option<f64>, tau: f64| {
        value.map_or(String::new(), |value| format!("{name} {}", against(value, tau, glyphs)))
    };
    let sides = [
        held("I", scores.importance, thresholds.tau_i),
        held("J", scores.jumpiness, thresholds.tau_j),
        held("D", Some(scores.difficulty), thresholds.tau_d),
    ];
    let local = if decision.action == Action::Expand && decision.local_sample { " and a local sample" } else { "" };
    let without = if removed.contains(&decision.action) && decision.action != Action::Keep {
        ", which this run leaves out: keep"
    } else {
        ""
    };
    format!("{} {} {}{local}{without}", sides.join(", "), glyphs.arrow, decision.action.as_str())
}

/// Why a step is what it is, in one paragraph.
pub fn why(step: &Step, ground: &Ground, glyphs: &Glyphs) -> String {
    let said = match (&step.scores, &ground.thresholds) {
        (Some(scores), Some(thresholds)) => rule(scores, thresholds, &ground.removed, glyphs),
        (Some(scores), None) if !unscored(scores) => format!("scored; {}D is not fixed yet", glyphs.tau),
        (Some(_), None) => "its scores are not complete".to_string(),
        (None, _) => "not scored: the stage scores does that, on hard questions only".to_string(),
    };
    let mut words = match (&step.by, step.action) {
        (By::Person { name, at, reason }, Some(action)) => {
            let when = if *at == 0 { String::new() } else { format!(" at {}", show_time(*at)) };
            let why = reason.as_ref().map_or("; no reason was given".to_string(), |why| format!(": \"{why}\""));
            format!("{name} chose {}{when}{why} (rule: {said})", action.as_str())
        }
        _ => said,
    };
    if let Some(why) = &step.unanswered {
        words.push_str(&format!("; no edit, so the text stands: {why}"));
    }
    text::printable(&words)
}

/// Who decided, short: `rule`, `you 14:02`.
pub fn by(step: &Step) -> String {
    match &step.by {
        By::Nobody => String::new(),
        By::Rule => "rule".to_string(),
        By::Person { name, at: 0, .. } => text::printable(name),
        By::Person { name, at, .. } => {
            let time = show_time(*at);
            text::printable(&format!("{name} {}", time.get(11..16).unwrap_or_default()))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tune::tests::{carla, thresholds};
    use super::*;
    use crate::workbench::look::Look;

    fn glyphs() -> Glyphs {
        Look::picture().glyphs
    }

    #[test]
    fn the_papers_example_reads_as_its_table_decides() {
        let said: Vec<String> =
            carla().iter().map(|step| rule(&step.scores, &thresholds(1.26), &[], &glyphs())).collect();
        assert_eq!(said[0], "I 1.00 > .50, J .00 ≤ .50, D 1.41 > 1.26 → localize");
        assert_eq!(said[2], "I .75 > .50, J .25 ≤ .50, D .87 ≤ 1.26 → keep");
        assert_eq!(said[4], "I .25 ≤ .50, J .25 ≤ .50, D .32 ≤ 1.26 → compress");
    }

    #[test]
    fn figures_that_differ_read_differently() {
        assert_eq!(against(0.9901, 0.99, &glyphs()), ".9901 > .9900");
        assert_eq!(against(0.99, 0.99, &glyphs()), ".99 ≤ .99");
        assert_eq!(against(0.5, 1.0, &glyphs()), ".50 ≤ 1.00");
        assert_eq!((figure(12.345), figure(f64::NAN), figure(0.0)), ("12.3".into(), "?".into(), ".00".into()));
    }

    #[test]
    fn what_is_open_left_out_or_sampled_is_said() {
        let mut scores = carla()[0].scores;
        scores.jumpiness = Some(0.75);
        let said = |scores: &StepScores, removed: &[Action]| rule(scores, &thresholds(1.26), removed, &glyphs());
        assert!(said(&scores, &[]).ends_with("→ expand and a local sample"));
        assert!(said(&scores, &[Action::Expand]).ends_with("which this run leaves out: keep"));
        scores.importance = None;
        assert!(said(&scores, &[]).starts_with("I open:"));
    }

    #[test]
    fn an_override_tells_who_when_and_why() {
        let person = By::Person { name: "ada".into(), at: 1_795_225_320_000, reason: Some("too\u{1b}[2J far".into()) };
        let step = Step { action: Some(Action::Drop), fixed: true, by: person, ..Step::blank("text") };
        let step = Step { scores: Some(carla()[3].scores), ..step };
        let ground = Ground { thresholds: Some(thresholds(1.26)), ..Ground::default() };
        let said = why(&step, &ground, &glyphs());
        let rule = "(rule: I 1.00 > .50, J .25 ≤ .50, D 1.28 > 1.26 → localize)";
        assert_eq!(said, format!("ada chose drop at 2026-11-21T01:42:00Z: \"too far\" {rule}"));
        assert_eq!(by(&step), "ada 01:42");
    }
}
