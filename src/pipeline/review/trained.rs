//! Which stages have trained on a product: what is decided about it now does not reach them any more.

use std::collections::BTreeSet;

use super::product::ProductId;
use crate::session::records::{Prepared, SftUpdate};
use crate::session::{Session, SessionError};

/// The stages that have made an update on a text of one of these products, in order.
///
/// # Errors
/// When the session cannot be read.
pub fn stages(session: &Session, products: &[ProductId]) -> Result<Vec<String>, SessionError> {
    let names: BTreeSet<String> = products.iter().map(ToString::to_string).collect();
    let mut begun = BTreeSet::new();
    for key in session.keys::<SftUpdate>("") {
        let key = key?;
        if let Some((stage, _)) = key.split_once('/')
            && !begun.contains(stage)
        {
            begun.insert(stage.to_string());
        }
    }
    let mut found = Vec::new();
    for stage in begun {
        for item in session.scan::<Prepared>(&format!("{stage}/")) {
            if item?.1.sample.lineage.iter().any(|from| names.contains(from)) {
                found.push(stage);
                break;
            }
        }
    }
    Ok(found)
}
