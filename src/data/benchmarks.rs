//! The benchmarks by name: where their files lie, how they are asked and judged, how many questions they have.
//!
//! A benchmark whose count is published is refused when its file has another one (reading.md, row 5). SVAMP and MAWPS
//! are told under several denominators (row 4): their files are taken as they are, and N and the hash are said.

use crate::domain::{AskKind, Verifier};

/// A file of a benchmark that is known byte by byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownFile {
    /// Its path below the folder of benchmarks.
    pub path: &'static str,
    /// Rows in it.
    pub rows: usize,
    /// SHA-256 of its bytes.
    pub sha256: &'static str,
}

/// Where the hub has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnHub {
    /// The data set's id.
    pub repo: &'static str,
    /// Folder or beginning of the file's path.
    pub begins: &'static str,
    /// End of the file's path.
    pub ends: &'static str,
}

/// A benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Benchmark {
    /// Its name in recipes and on the command line.
    pub name: &'static str,
    /// As the paper's tables call it.
    pub title: &'static str,
    /// Known files, the preferred first.
    pub files: &'static [KnownFile],
    /// What a file is called that was fetched from the hub; its folder is the benchmark's name.
    pub fetched: &'static [&'static str],
    /// How its answers are judged (reading.md, row 9).
    pub verifier: Verifier,
    /// How it is asked.
    pub ask: AskKind,
    /// Published number of questions; `None` where there are several.
    pub published: Option<usize>,
    /// Number of questions in the paper's tables.
    pub paper: usize,
    /// Where it can be fetched.
    pub hub: OnHub,
}

const fn known(path: &'static str, rows: usize, sha256: &'static str) -> KnownFile {
    KnownFile { path, rows, sha256 }
}

const fn hub(repo: &'static str, begins: &'static str, ends: &'static str) -> OnHub {
    OnHub { repo, begins, ends }
}

/// Every benchmark, the training set first.
pub const BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "gsm8k-train",
        title: "GSM8K train",
        files: &[known("gsm8k/train.jsonl", 7473, "17f347dc51477c50d4efb83959dbb7c56297aba886e5544ee2aaed3024813465")],
        fetched: &["train.jsonl", "train.parquet"],
        verifier: Verifier::Numeric,
        ask: AskKind::Answer,
        published: Some(7473),
        paper: 7473,
        hub: hub("openai/gsm8k", "main/train-", ".parquet"),
    },
    Benchmark {
        name: "gsm8k",
        title: "GSM8K",
        files: &[known("gsm8k/test.jsonl", 1319, "3730d312f6e3440559ace48831e51066acaca737f6eabec99bccb9e4b3c39d14")],
        fetched: &["test.jsonl", "test.parquet"],
        verifier: Verifier::Numeric,
        ask: AskKind::Answer,
        published: Some(1319),
        paper: 1319,
        hub: hub("openai/gsm8k", "main/test-", ".parquet"),
    },
    Benchmark {
        name: "gsm8k-platinum",
        title: "GSM8K-Platinum",
        files: &[known(
            "gsm8k_platinum/gsm8k_platinum_test.jsonl",
            1209,
            "893937ac05f9c54fe7523f008b1b92cbcf161a9874b008036d0b94fe16358bb8",
        )],
        fetched: &["test.jsonl", "test.parquet"],
        verifier: Verifier::Numeric,
        ask: AskKind::Answer,
        published: Some(1209),
        paper: 1209,
        hub: hub("madrylab/gsm8k-platinum", "main/test-", ".parquet"),
    },
    Benchmark {
        name: "svamp",
        title: "SVAMP",
        files: &[known("svamp/SVAMP.json", 1000, "5be77703a6d891ae476d7c082787ad361392aa02453b132516cdd5f4e7934e3e")],
        fetched: &["test.json", "test.parquet"],
        verifier: Verifier::Numeric,
        ask: AskKind::Answer,
        published: None,
        paper: 300,
        hub: hub("ChilleD/SVAMP", "data/test-", ".parquet"),
    },
    Benchmark {
        name: "mawps",
        title: "MAWPS",
        files: &[
            known(
                "mawps/MWPToolkit_mawps_testset.json",
                238,
                "f0d767e8f8bb979358f02a38a07b9363879ab458d945de77cfc475d4942baa27",
            ),
            known(
                "mawps/Qwen2.5-Math_mawps_test.jsonl",
                2065,
                "00ffe31161be8623a3d36741830edbba87a3aee0109f693810fe40b9d5d91b8b",
            ),
            known(
                "mawps/SVAMP_cv_mawps_fold0_dev.csv",
                384,
                "bad59cff796b01a87363ea970f1fa80c15f56ff5f4388143aadbdc3feaf5f990",
            ),
        ],
        fetched: &["test.json", "test.jsonl", "test.csv", "test.parquet"],
        verifier: Verifier::Numeric,
        ask: AskKind::Answer,
        published: None,
        paper: 351,
        hub: hub("MU-NLPC/Calc-mawps", "data/test-", ".parquet"),
    },
    Benchmark {
        name: "math-500",
        title: "MATH-500",
        files: &[known("math500/test.jsonl", 500, "35dc41080a3680858b27fa7e0533d2d547825316fc5dafe5d316f4ccc5a06132")],
        fetched: &["test.jsonl", "test.parquet"],
        verifier: Verifier::Math,
        ask: AskKind::Boxed,
        published: Some(500),
        paper: 500,
        hub: hub("HuggingFaceH4/MATH-500", "test", ".jsonl"),
    },
    Benchmark {
        name: "logiqa",
        title: "LogiQA",
        files: &[known(
            "logiqa/AGIEval_v1_logiqa-en.jsonl",
            651,
            "63d0e8efaca1944e7eac5037903650f92ca9c036155a66b4e95bf2aa06da1702",
        )],
        fetched: &["test.jsonl", "test.parquet"],
        verifier: Verifier::Choice,
        ask: AskKind::Choice,
        published: Some(651),
        paper: 651,
        hub: hub("dmayhem93/agieval-logiqa-en", "data/test-", ".parquet"),
    },
];

impl Benchmark {
    /// The benchmark of this name; capitals, blanks and underscores don't matter.
    pub fn named(name: &str) -> Option<&'static Benchmark> {
        let plain = |name: &str| name.to_lowercase().replace(['_', ' '], "-");
        let wanted = match plain(name).as_str() {
            "gsm8k-test" => "gsm8k".to_owned(),
            "math500" => "math-500".to_owned(),
            other => other.to_owned(),
        };
        BENCHMARKS.iter().find(|benchmark| benchmark.name == wanted)
    }

    /// The benchmark and file with this SHA-256.
    pub fn of_hash(sha256: &str) -> Option<(&'static Benchmark, &'static KnownFile)> {
        let files = BENCHMARKS.iter().flat_map(|benchmark| benchmark.files.iter().map(move |file| (benchmark, file)));
        files.into_iter().find(|(_, file)| file.sha256 == sha256)
    }

    /// All names, for messages.
    pub fn names() -> String {
        BENCHMARKS.iter().map(|benchmark| benchmark.name).collect::<Vec<_>>().join(", ")
    }

    /// Where its file may lie below the folder of benchmarks, the preferred place first.
    pub fn places(&self) -> Vec<String> {
        let known = self.files.iter().map(|file| file.path.to_owned());
        let mut names: Vec<String> =
            known.chain(self.fetched.iter().map(|file| format!("{}/{file}", self.name))).collect();
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names
    }
}

/// The benchmark that lies at a place like this.
pub(super) fn by_path(path: &std::path::Path) -> Option<&'static Benchmark> {
    BENCHMARKS.iter().find(|benchmark| benchmark.files.iter().any(|file| path.ends_with(file.path)))
}
