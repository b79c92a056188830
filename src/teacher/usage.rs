//! What calls took: counts, tokens, money; by purpose.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// What some calls took. Tokens and money are what the servers said; see `estimated` and `unsaid` for the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Calls that were answered by the model.
    pub calls: u64,
    /// Calls that were answered by the cache.
    pub cached: u64,
    /// Times a call was made again after a fault.
    pub retries: u64,
    /// Calls that stayed without a usable answer.
    pub failed: u64,
    /// Tokens read.
    pub prompt_tokens: u64,
    /// Tokens written.
    pub completion_tokens: u64,
    /// Money, in the currency of the recipe's prices.
    pub cost: f64,
    /// Answers whose tokens the server did not count; a token was taken for four characters.
    pub estimated: u64,
    /// Exchanges that broke off after the server had the request: it may have charged for them without saying how much,
    /// and nothing is counted for them.
    pub unsaid: u64,
}

impl Usage {
    /// Tokens read and written.
    pub fn tokens(&self) -> u64 {
        self.prompt_tokens + self.completion_tokens
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, more: Self) {
        self.calls += more.calls;
        self.cached += more.cached;
        self.retries += more.retries;
        self.failed += more.failed;
        self.prompt_tokens += more.prompt_tokens;
        self.completion_tokens += more.completion_tokens;
        self.cost += more.cost;
        self.estimated += more.estimated;
        self.unsaid += more.unsaid;
    }
}

impl std::iter::Sum for Usage {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut sum, one| {
            sum += one;
            sum
        })
    }
}

/// Adds up by purpose; shared by threads.
#[derive(Debug, Default)]
pub struct Meter(Mutex<BTreeMap<String, Usage>>);

impl Meter {
    /// Adds what a call took.
    pub fn add(&self, purpose: &str, took: Usage) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *all.entry(purpose.to_owned()).or_default() += took;
    }

    /// What was added so far, by purpose.
    pub fn by_purpose(&self) -> BTreeMap<String, Usage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All of it.
    pub fn total(&self) -> Usage {
        self.by_purpose().into_values().sum()
    }
}
