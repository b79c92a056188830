//! The built-in recipes: what each changes against the defaults, embedded as TOML.

/// Name and text of every preset.
pub const PRESETS: &[(&str, &str)] = &[
    ("demo", include_str!("presets/demo.toml")),
    ("paper-qwen2.5-0.5b", include_str!("presets/paper-qwen2.5-0.5b.toml")),
    ("paper-llama-3.2-1b", include_str!("presets/paper-llama-3.2-1b.toml")),
];

/// The text of a preset.
pub fn text(name: &str) -> Option<&'static str> {
    PRESETS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The names of all presets.
pub fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, _)| *name)
}

/// What a preset is, in its own words: the comment it begins with.
pub fn about(name: &str) -> String {
    let lines = text(name).unwrap_or_default().lines().map_while(|line| line.strip_prefix('#'));
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}
