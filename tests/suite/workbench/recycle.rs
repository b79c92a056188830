//! The recycle pane: what it shows of failed questions, and that its keys decide on them.

use footbridge::pipeline::review::{Filter, Kind, Product, list};
use footbridge::session::records::Status;
use footbridge::workbench::pane::PaneId;
use footbridge::workbench::shell::Msg;

use super::stand::Stand;

/// The failed questions on disk: question id and standing.
fn on_disk(stand: &Stand) -> Vec<(String, Status)> {
    let filter = Filter { kind: Some(Kind::Recycled), ..Filter::default() };
    let products = list(&stand.session(), &filter).unwrap();
    products.into_iter().map(|(id, product)| (id.key, product.status().clone())).collect()
}

#[test]
fn a_look() {
    let mut stand = Stand::pane(PaneId::Recycle);
    println!("{}", stand.screen(160, 50));
    println!("{}", stand.screen(80, 24));
    println!("{:?}", on_disk(&stand));
}
