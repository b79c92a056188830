//! How the charts share the pane: the large one with its values above, the others beside or below it, at the foot what is
//! told of iterations.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::shown::Shown;
use super::{Drawn, Rewards, large, legend, small};
use crate::workbench::look::Look;
use crate::workbench::pane::Seen;
use crate::workbench::text;
use crate::workbench::widgets::{cut, fault, header, joined, no_session, put, waiting, words};

/// From here on the small charts stand beside the large one instead of below.
const WIDE: u16 = 96;
/// Fewest rows of the large chart with anything below it.
const LARGE: u16 = 6;

/// Draws the pane.
pub fn draw(pane: &Rewards, area: Rect, buf: &mut Buffer, seen: &Seen<'_>) -> Drawn {
    let look = seen.look;
    let area = area.intersection(buf.area);
    let (charts, total) = (pane.charts(), pane.total());
    let shown = Shown {
        book: &pane.book,
        beside: &pane.beside,
        view: &pane.view,
        family: pane.family(),
        charts: &charts,
        large: pane.large(&charts),
        total,
        cursor: pane.view.cursor(total),
        range: pane.view.range(total),
        run: seen.run,
        look,
    };
    let facts = if total > 0 { joined(&legend::facts(&shown), look, look.theme.dim) } else { vec![] };
    let body = header(buf, area, look, "rewards", seen.focused, facts);
    if total == 0 {
        nothing(pane, body, buf, seen);
        return Drawn::default();
    }
    let (body, foot) = split_foot(pane, body, seen);
    lines(buf, foot.0, foot.1, look);
    let values = legend::flow(legend::values(&shown), body.width.into());
    let most = (body.height / 3).max(1).min(values.len() as u16);
    let top = Rect { height: most.min(body.height), ..body };
    lines(buf, top, values, look);
    let rest = Rect { y: top.bottom(), height: body.height - top.height, ..body };
    let (left, right, columns) = if rest.width >= WIDE { side_by_side(rest) } else { stacked(rest, charts.len()) };
    let inner = large::draw(buf, left, &shown);
    Drawn { inner, cells: small::draw(buf, right, columns, &shown) }
}

/// As many lines as there is room for; the last says whether there are more.
fn lines(buf: &mut Buffer, area: Rect, lines: Vec<Vec<Span<'static>>>, look: &Look) {
    let more = lines.len() > usize::from(area.height);
    for (y, mut line) in (area.top()..area.bottom()).zip(lines) {
        if more && y + 1 == area.bottom() {
            line = cut(line, usize::from(area.width).saturating_sub(2), look);
            line.push(Span::styled(format!(" {}", look.glyphs.ellipsis), look.theme.key));
        }
        put(buf, Rect { y, height: 1, ..area }, line);
    }
}

/// What stands where nothing was measured.
fn nothing(pane: &Rewards, body: Rect, buf: &mut Buffer, seen: &Seen<'_>) {
    let look = seen.look;
    match (pane.reading.waiting(), pane.reading.error()) {
        _ if seen.session.is_none() => {
            no_session(buf, body, look);
        }
        (Some(since), None) => waiting(buf, body, look, since, seen.now),
        (_, Some(error)) => fault(buf, body, look, error),
        (None, None) => {
            let said = "nothing measured yet: the first curve comes with SFT, the reward with the first step of GRPO";
            words(buf, body, said, look.theme.dim);
        }
    }
}

/// The body without its foot, and the foot with its lines.
fn split_foot(pane: &Rewards, body: Rect, seen: &Seen<'_>) -> (Rect, (Rect, Vec<Vec<Span<'static>>>)) {
    let mut said = legend::flow(legend::zeros(&pane.zeros, seen.look), body.width.into());
    let control = pane.control.as_ref().map(|control| legend::control(control, seen.look)).unwrap_or_default();
    said.extend(legend::flow(control, body.width.into()));
    if let Some(error) = pane.reading.error() {
        let words = format!("{} {}", seen.look.glyphs.failed, text::printable(error));
        let wrapped = text::wrap(&words, usize::from(body.width.saturating_sub(2)));
        let line = |line: String| vec![Span::styled(format!(" {line}"), seen.look.theme.bad)];
        said.splice(0..0, wrapped.into_iter().map(line));
    }
    let height = (said.len() as u16).min(body.height / 4);
    let foot = Rect { y: body.bottom() - height, height, ..body };
    (Rect { height: body.height - height, ..body }, (foot, said))
}

/// The large chart on the left, the others in one column on the right.
fn side_by_side(body: Rect) -> (Rect, Rect, u16) {
    let width = (body.width * 2 / 5).clamp(42, 60);
    let right = Rect { x: body.right() - width, width, ..body };
    (Rect { width: body.width - width - 1, ..body }, right, 1)
}

/// The large chart above, the others in two columns of lines below, where there is room.
fn stacked(body: Rect, charts: usize) -> (Rect, Rect, u16) {
    let columns = if body.width >= 76 { 2 } else { 1 };
    let wanted = (charts.saturating_sub(1) as u16).div_ceil(columns);
    let height = wanted.min(body.height.saturating_sub(LARGE));
    let below = Rect { y: body.bottom() - height, height, ..body };
    (Rect { height: body.height - height, ..body }, below, columns)
}
