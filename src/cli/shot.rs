//! `footbridge shot`: a pane as a picture, drawn from a session by the code that draws the terminal's screen. Nothing is
//! changed: keys that would decide or write a file are told so.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::args::ShotArgs;
use super::exit::{Exit, Failure};
use super::out;
use crate::session::records::Asked;
use crate::session::{SessionError, Sessions};
use crate::workbench::house::House;
use crate::workbench::jobs::Jobs;
use crate::workbench::keymap::{self, Keymap};
use crate::workbench::look::Look;
use crate::workbench::pane::{PaneId, Target};
use crate::workbench::shell::{Msg, Shell};
use crate::workbench::shot::{buffer_to_svg, buffer_to_text};
use crate::workbench::theme::Theme;

/// Time between two keys.
const BEAT: Duration = Duration::from_millis(100);
/// Notices after which every answer has come: a question may lead to another.
const SETTLED: usize = 8;

/// Draws the picture.
pub fn run(args: &ShotArgs) -> Result<Exit, Failure> {
    let picture = picture(args)?;
    let Some(path) = &args.output else {
        let _ = out::stdout(&picture)?;
        return Ok(Exit::Done);
    };
    std::fs::write(path, picture)
        .map_err(|error| Failure::failed(format!("{} can't be written: {error}", path.display())))?;
    Ok(Exit::Done)
}

fn picture(args: &ShotArgs) -> Result<String, Failure> {
    let theme = Theme::load(&args.theme, args.colours.into()).map_err(Failure::usage)?;
    let look = Look { theme_name: args.theme.clone(), level: args.colours.into(), ..Look::new(theme, args.ascii) };
    let keys = keymap::script(args.keys.as_deref().unwrap_or_default())
        .map_err(|why| Failure::usage(format!("--keys: {why}")))?;
    let sessions = Sessions::at(&args.sessions.path);
    if let Some(name) = &args.session {
        check(&sessions, name, args.question.as_deref())?;
    }
    let house = House::to_look_at(sessions);
    let mut scene = Scene {
        shell: Shell::new(house, look, Keymap::default(), Jobs::at_once()),
        now: Duration::from_secs(1),
        buf: Buffer::empty(Rect::new(0, 0, args.size.0, args.size.1)),
    };
    if let Some(name) = &args.session {
        scene.shell.open(name);
        scene.settle();
    }
    let pane = PaneId::ALL.into_iter().find(|id| id.name() == args.pane).unwrap_or(PaneId::Home);
    scene.shell.show(pane, args.question.clone().map(Target::Question));
    scene.settle();
    for key in keys {
        scene.tell(Msg::Key(key));
        scene.settle();
    }
    let Scene { shell, buf, .. } = scene;
    Ok(if args.text { buffer_to_text(&buf) } else { buffer_to_svg(&buf, &shell.look().theme) })
}

/// The workbench and the cells it draws into.
struct Scene {
    shell: Shell,
    now: Duration,
    buf: Buffer,
}

impl Scene {
    fn tell(&mut self, msg: Msg) {
        self.now += BEAT;
        self.shell.update(msg, self.now);
    }

    /// Every answer has come, and what follows from the size is known.
    fn settle(&mut self) {
        for _ in 0..SETTLED {
            self.tell(Msg::Notice);
        }
        self.buf.reset();
        self.shell.draw(&mut self.buf);
    }
}

/// Whether the session is there, and the question in it.
fn check(sessions: &Sessions, name: &str, question: Option<&str>) -> Result<(), Failure> {
    let session = sessions.open_read_only(name).map_err(Failure::usage)?;
    let Some(question) = question else { return Ok(()) };
    let mut near: Option<(usize, String)> = None;
    for key in session.keys::<Asked>("") {
        let key = key.map_err(|error: SessionError| Failure::failed(error))?;
        let id = key.split_once('/').map_or(key.as_str(), |(_, id)| id);
        let away = strsim::damerau_levenshtein(id, question);
        if away == 0 {
            return Ok(());
        }
        if near.as_ref().is_none_or(|(best, _)| away < *best) {
            near = Some((away, id.to_string()));
        }
    }
    let offer = near.map_or(String::new(), |(_, id)| format!("; the nearest is {id}"));
    Err(Failure::usage(format!("session {name} has no question `{question}`{offer}")))
}
