//! The names and things that problems are about. Everything else that is ever said stands beside the sentences; the
//! tokenizer's word list (`vocabulary.rs`) collects both.

/// People.
pub const NAMES: [&str; 24] = [
    "Ada", "Ben", "Cleo", "Dan", "Edith", "Finn", "Gus", "Hana", "Ivan", "Jude", "Kira", "Leon", "Mona", "Nils",
    "Olga", "Pia", "Quinn", "Rosa", "Saul", "Tara", "Uma", "Vito", "Wanda", "Yara",
];

/// Things that are counted.
pub const OBJECTS: [&str; 16] = [
    "apples", "pears", "plums", "nuts", "stamps", "shells", "cards", "coins", "beads", "marbles", "stickers",
    "buttons", "pencils", "eggs", "kites", "toys",
];

/// Things that have a price, in the singular; the plural takes an `s`.
pub const ITEMS: [&str; 10] = ["mug", "lamp", "hat", "cake", "scarf", "drum", "ring", "vase", "spoon", "chair"];

/// Places that hold things, in the singular; the plural takes an `s`.
pub const PLACES: [&str; 6] = ["basket", "drawer", "jar", "crate", "tray", "chest"];

/// Something done day by day: the verb, what it yields, and the whole it belongs to.
pub const ACTIVITIES: [Activity; 4] = [
    Activity { verb: "reads", unit: "pages", whole: "book" },
    Activity { verb: "runs", unit: "laps", whole: "race" },
    Activity { verb: "plants", unit: "trees", whole: "park" },
    Activity { verb: "folds", unit: "shirts", whole: "pile" },
];

/// Something done day by day.
#[derive(Clone, Copy, Debug)]
pub struct Activity {
    /// What is done, as in "reads".
    pub verb: &'static str,
    /// What is counted, as in "pages".
    pub unit: &'static str,
    /// What it is part of, as in "book".
    pub whole: &'static str,
}
