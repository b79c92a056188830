//! The bridge pane: what it says of a question, and that keys really decide.

use footbridge::workbench::pane::PaneId;

use super::stand::Stand;

#[test]
fn look() {
    let mut stand = Stand::pane(PaneId::Bridge);
    for (columns, rows) in [(80, 24), (120, 40), (200, 50)] {
        println!("{}\n=====", stand.screen(columns, rows));
    }
    stand.keys("t");
    stand.keys("<down><down><left><left><left><left><left><left><left><left><left><left>");
    println!("{}\n=====", stand.screen(120, 40));
    println!("{}\n=====", stand.screen(80, 24));
    stand.keys("<esc>D");
    println!("{}\n=====", stand.screen(120, 40));
    stand.keys("Dv");
    println!("{}\n=====", stand.screen(120, 40));
    stand.keys("v");
    println!("{}\n=====", stand.screen(120, 40));
    stand.keys("o");
    println!("{}\n=====", stand.screen(120, 40));
}
