//! What is done to sessions and files behind the screen: removing, renaming, saving. Each is done once and to its end.

use crate::recipe::Arm;
use crate::session::show_size;
use crate::workbench::jobs::Query;
use crate::workbench::pane::Cx;
use crate::workbench::text;

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// A session is gone.
    Removed(String, u64),
    /// A session has another name: the old one and the new one.
    Renamed(String, String),
    /// A file was written.
    Saved(String),
}

impl Done {
    /// In words.
    pub fn said(&self) -> String {
        match self {
            Done::Removed(name, bytes) => format!("{name} is removed ({})", show_size(*bytes)),
            Done::Renamed(from, to) => format!("{from} is called {to} now"),
            Done::Saved(path) => format!("saved {path}"),
        }
    }
}

/// What is being done, each to what it is done to.
#[derive(Default)]
pub struct Chores(Vec<(String, Query<Done>)>);

impl Chores {
    /// Whether something is being done to a session.
    pub fn busy(&self, name: &str) -> bool {
        self.0.iter().any(|(about, _)| about == name)
    }

    /// Removes a session for good.
    pub fn remove(&mut self, name: &str, cx: &Cx<'_>) {
        let (sessions, name) = (cx.house.sessions.clone(), name.to_string());
        self.begin(name.clone(), cx, move || {
            sessions.remove(&name, true).map(|bytes| Done::Removed(name, bytes)).map_err(|error| error.to_string())
        });
    }

    /// Gives a session another name.
    pub fn rename(&mut self, name: &str, to: &str, cx: &Cx<'_>) {
        let (sessions, name, to) = (cx.house.sessions.clone(), name.to_string(), to.to_string());
        self.begin(name.clone(), cx, move || {
            sessions.rename(&name, &to).map(|()| Done::Renamed(name, to)).map_err(|error| error.to_string())
        });
    }

    /// Writes a new file; what is there already is not overwritten.
    pub fn save(&mut self, path: &str, content: String, cx: &Cx<'_>) {
        let (path, place) = (path.to_string(), cx.house.file(path));
        self.begin(String::new(), cx, move || {
            let written = std::fs::File::create_new(&place)
                .and_then(|mut file| std::io::Write::write_all(&mut file, content.as_bytes()));
            match written {
                Ok(()) => Ok(Done::Saved(path)),
                Err(error) => Err(format!("{}: {error}; nothing was saved", text::printable(&path))),
            }
        });
    }

    fn begin(&mut self, about: String, cx: &Cx<'_>, work: impl FnOnce() -> Result<Done, String> + Send + 'static) {
        let mut query = Query::default();
        let looking = cx.house.looking;
        query.ask(
            cx.jobs,
            cx.now,
            move |_| if looking { Err("nothing is done in a picture".to_string()) } else { work() },
        );
        self.0.push((about, query));
    }

    /// What has come to an end since.
    pub fn ended(&mut self, cx: &Cx<'_>) -> Vec<Result<Done, String>> {
        for (_, query) in &mut self.0 {
            cx.poll(query);
        }
        let (going, over): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.0).into_iter().partition(|(_, query)| query.waiting().is_some());
        self.0 = going;
        over.iter()
            .filter_map(|(_, query)| {
                query.value().cloned().map(Ok).or_else(|| query.error().map(|why| Err(why.to_string())))
            })
            .collect()
    }
}

/// The first name of this stem and arm that is free: `demo-1`, `demo-raw-hard-2`.
pub fn free_name(taken: &[String], stem: &str, arm: Arm) -> String {
    let stem = match arm {
        Arm::Bridged => stem.to_string(),
        other => format!("{stem}-{}", other.name()),
    };
    let name = (1..).map(|n| format!("{stem}-{n}")).find(|name| !taken.contains(name));
    name.unwrap_or(stem)
}
