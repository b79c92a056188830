//! The student of a command: what `locate` finds, or a checkpoint of a session as `session:checkpoint`. One way for every
//! verb that takes a student, and for a local teacher.

use std::path::{Path, PathBuf};

use super::exit::Failure;
use super::out;
use crate::pipeline::begun::recipe_of;
use crate::pipeline::locate::{Place, locate};
use crate::pipeline::plan::{BASE, plan};
use crate::recipe::Recipe;
use crate::session::{Session, Sessions};
use crate::student::adapter::Adapter;

/// The path of a student as recipes have it: the folder of a session's checkpoint where one is named so, the word itself
/// otherwise. A checkpoint is a model's folder or an adapter's.
///
/// # Errors
/// A session or a checkpoint that is not there; what there is.
pub fn path(word: &str, sessions: &Sessions) -> Result<String, Failure> {
    let Some((session, checkpoint)) = word.split_once(':').filter(|_| !Path::new(word).exists()) else {
        return Ok(word.to_string());
    };
    let found = sessions.open_read_only(session).map_err(Failure::usage)?;
    if checkpoint == BASE {
        return Ok(recipe_of(&found)?.student.path);
    }
    let folder = folder(&found, checkpoint);
    if checkpoint.is_empty() || checkpoint.contains(['/', '\\']) || !is_student(&folder) {
        let stages = plan(&recipe_of(&found)?);
        let names: Vec<String> = stages.iter().filter(|stage| stage.kind.trains()).map(|stage| stage.key()).collect();
        let there = |name: &&String| is_student(&self::folder(&found, name));
        let names: Vec<&str> = names.iter().filter(there).map(String::as_str).chain([BASE]).collect();
        return Err(Failure::usage(format!(
            "session `{session}` has no checkpoint `{checkpoint}`; it has {}",
            names.join(", ")
        )));
    }
    Ok(folder.display().to_string())
}

/// Puts paths in the places of the words by which a recipe names its student and its local teacher.
///
/// # Errors
/// As [`path`].
pub fn resolve(recipe: &mut Recipe, sessions: &Sessions) -> Result<(), Failure> {
    recipe.student.path = path(&recipe.student.path, sessions)?;
    if recipe.teacher.kind == "local" {
        recipe.teacher.path = path(&recipe.teacher.path, sessions)?;
    }
    Ok(())
}

/// Where the student of a word is; a download is told on stderr.
///
/// # Errors
/// As [`path`], and what cannot be found.
pub fn place(word: &str, sessions: &Sessions) -> Result<Place, Failure> {
    locate(&path(word, sessions)?, &mut out::stderr).map_err(Failure::usage)
}

fn folder(session: &Session, checkpoint: &str) -> PathBuf {
    session.checkpoints().dir(checkpoint)
}

fn is_student(folder: &Path) -> bool {
    folder.join("config.json").is_file() || Adapter::is_in(folder)
}
