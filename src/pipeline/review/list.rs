//! Which products there are, filtered.

use serde::{Deserialize, Serialize};

use super::product::{Kind, Product, ProductId};
use crate::session::{Session, SessionError};

/// Which products are meant; an empty filter means all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Only this product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// Only those that stand so: `proposed`, `approved`, `edited`, `rejected` or `review`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Only what this iteration made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iteration: Option<u32>,
    /// Only those that hold this text, in their name, texts or reasons; capitals don't matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Filter {
    /// Whether a product is meant.
    pub fn fits(&self, id: &ProductId, product: &Product) -> bool {
        let holds = |text: &String| {
            let text = text.to_lowercase();
            id.to_string().to_lowercase().contains(&text) || product.words().to_lowercase().contains(&text)
        };
        self.kind.is_none_or(|kind| kind == id.kind)
            && self.status.as_ref().is_none_or(|status| status == product.status().name())
            && self.iteration.is_none_or(|iteration| iteration == id.iteration())
            && self.text.as_ref().is_none_or(holds)
    }
}

/// Every product that the filter means, kind by kind, in order of the keys.
///
/// # Errors
/// When the session cannot be read.
pub fn list(session: &Session, filter: &Filter) -> Result<Vec<(ProductId, Product)>, SessionError> {
    let mut found = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|kind| filter.kind.is_none_or(|wanted| wanted == *kind)) {
        found.extend(Product::all(session, kind)?.into_iter().filter(|(id, product)| filter.fits(id, product)));
    }
    Ok(found)
}
