//! The workbench without a terminal: how long frames take, and choosing and sorting of rows.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Spread;
use super::session::NAME;
use crate::cli::exit::Failure;
use crate::session::Sessions;
use crate::workbench::house::House;
use crate::workbench::jobs::Jobs;
use crate::workbench::keymap::Keymap;
use crate::workbench::look::Look;
use crate::workbench::pane::PaneId;
use crate::workbench::shell::{Msg, Shell};
use crate::workbench::widgets::table::{Column, Table, Wide};

/// Frames of each pane.
const FRAMES: usize = 300;
/// Rows of the large table.
const MILLION: usize = 1_000_000;
/// Longest wait for a pane's answers.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was measured here.
pub struct Inside {
    pub draw: Vec<(String, Spread)>,
    pub million: Spread,
}

/// Measures.
///
/// # Errors
/// When a pane's answers don't come.
pub fn measure(sessions: &Sessions, size: (u16, u16)) -> Result<Inside, Failure> {
    let (say, notices) = channel();
    let jobs = Jobs::threads(Arc::new(move || {
        // Nobody listens once the bench is over.
        let _ = say.send(());
    }));
    let house = House::new(sessions.clone(), None);
    let mut shell = Shell::new(house, Look::picture(), Keymap::default(), jobs);
    shell.open(NAME);
    let mut draw = Vec::new();
    for pane in PaneId::ALL {
        draw.push((pane.name().to_string(), frames(&mut shell, pane, size, &notices)?));
    }
    Ok(Inside { draw, million: million(size) })
}

/// Frames of a pane: a key that moves in it, then the drawing, which is timed.
fn frames(shell: &mut Shell, pane: PaneId, size: (u16, u16), notices: &Receiver<()>) -> Result<Spread, Failure> {
    let digit = char::from_digit((pane.index() as u32 + 1) % 10, 10).unwrap_or('1');
    let begun = Instant::now();
    shell.update(Msg::Key(KeyEvent::from(KeyCode::Char(digit))), begun.elapsed());
    while notices.recv_timeout(Duration::from_millis(1500)).is_ok() {
        shell.update(Msg::Notice, begun.elapsed());
        if begun.elapsed() > PATIENCE {
            return Err(Failure::failed(format!("the {} pane does not come to rest", pane.name())));
        }
    }
    let mut times = Vec::with_capacity(FRAMES);
    let mut buf = Buffer::empty(Rect::new(0, 0, size.0, size.1));
    for _ in 0..FRAMES {
        shell.update(Msg::Key(KeyEvent::from(KeyCode::Down)), begun.elapsed());
        while notices.try_recv().is_ok() {
            shell.update(Msg::Notice, begun.elapsed());
        }
        buf.reset();
        let frame = Instant::now();
        shell.draw(&mut buf);
        times.push(frame.elapsed().as_secs_f64() * 1e3);
    }
    Ok(Spread::of(times))
}

/// Frames of a table of a million rows.
fn million(size: (u16, u16)) -> Spread {
    let look = Look::picture();
    let columns = [
        Column::right("row", Wide::Exact(9)),
        Column::left("words", Wide::Rest(20)),
        Column::right("square", Wide::Exact(14)),
    ];
    let mut table = Table::default();
    table.set_len(MILLION);
    let mut buf = Buffer::empty(Rect::new(0, 0, size.0, size.1));
    let mut times = Vec::with_capacity(FRAMES);
    for frame in 0..FRAMES {
        table.step((MILLION / FRAMES) as isize + frame as isize);
        buf.reset();
        let begun = Instant::now();
        table.draw(&mut buf, Rect::new(0, 0, size.0, size.1), &look, &columns, None, |row| {
            let row = row as u64;
            vec![row.to_string().into(), format!("the words of row {row}").into(), (row * row).to_string().into()]
        });
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    Spread::of(times)
}
