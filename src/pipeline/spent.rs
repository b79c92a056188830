//! Time and tokens of a stage's earlier, interrupted parts.

use serde::{Deserialize, Serialize};

use super::context::{Context, StageError};
use crate::session::{Author, Batch, Record};

/// What earlier parts of a stage took. Key: stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spent {
    /// Wall time, seconds.
    pub seconds: f64,
    /// Tokens.
    pub tokens: u64,
}

impl Record for Spent {
    const TABLE: &'static str = "spent";
    const VERSION: u32 = 1;
}

impl Spent {
    /// What earlier parts took; nothing for a stage that begins.
    pub fn resume(cx: &Context) -> Result<Self, StageError> {
        Ok(cx.session.get::<Self>(&cx.stage.key())?.unwrap_or_default())
    }

    /// Adds the part that was just interrupted. A killed program keeps no count of its last part.
    pub fn keep(&self, cx: &Context, seconds: f64, tokens: u64) -> Result<(), StageError> {
        let mut batch = Batch::new(Author::Pipeline);
        batch.put(&cx.stage.key(), &Self { seconds: self.seconds + seconds, tokens: self.tokens + tokens });
        cx.session.write(batch)?;
        Ok(())
    }
}
