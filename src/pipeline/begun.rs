//! What a session was begun with. Every face and every command reads a session's recipe here, and hears the same error.

use std::path::Path;

use thiserror::Error;

use crate::recipe::{Loaded, Recipe, RecipeError};
use crate::session::{Meta, Session, SessionError, Sessions};

/// Why the recipe of a session is not known.
#[derive(Debug, Error)]
pub enum BegunError {
    /// Its file cannot be read: it is gone, damaged, or no text.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The file is there and is no recipe; every problem with its file and line.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
}

/// For faces, whose queries say in words what is wrong.
impl From<BegunError> for String {
    fn from(error: BegunError) -> Self {
        error.to_string()
    }
}

/// The recipe of a session, as it was begun.
///
/// # Errors
/// A file that cannot be read; a recipe that does not hold, with file and line.
pub fn recipe_of(session: &Session) -> Result<Recipe, BegunError> {
    let (text, path) = session.recipe()?;
    read(&text, &path)
}

/// Description and recipe of a session that is not opened.
///
/// # Errors
/// As [`recipe_of`]; there is no such session.
pub fn described(sessions: &Sessions, name: &str) -> Result<(Meta, Recipe), BegunError> {
    let (meta, (text, path)) = sessions.described(name)?;
    Ok((meta, read(&text, &path)?))
}

fn read(text: &str, path: &Path) -> Result<Recipe, BegunError> {
    Ok(Loaded::parse(text, &path.display().to_string())?.recipe)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::session::NewSession;

    /// Told alike of a session that is open and of one that is not.
    #[test]
    fn a_recipe_that_does_not_read_is_told_with_its_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        let sessions = Sessions::at(folder.path());
        let new = NewSession { seed: 5, recipe: "extends = \"demo\"\nseed = 5\n" };
        let session = sessions.create("a", &new).unwrap();
        assert_eq!(recipe_of(&session).unwrap().seed, 5);
        assert_eq!(described(&sessions, "a").unwrap().1, recipe_of(&session).unwrap());
        let path = session.dir().join("recipe.toml");
        let both = || [recipe_of(&session).unwrap_err(), described(&sessions, "a").map(|(_, r)| r).unwrap_err()];
        std::fs::write(&path, "extends = \"demo\"\nsead = 5\n").unwrap();
        for error in both() {
            assert!(matches!(error, BegunError::Recipe(_)));
            let said = error.to_string();
            assert!(said.starts_with(&format!("{}:2: there is no setting sead", path.display())), "{said}");
        }
        std::fs::write(&path, [0xff]).unwrap();
        for error in both() {
            let said = error.to_string();
            assert!(said.contains("not UTF-8") && said.starts_with(&path.display().to_string()), "{said}");
        }
        std::fs::remove_file(&path).unwrap();
        for error in both() {
            assert!(error.to_string().contains("recipe.toml: "), "{error}");
        }
    }
}
