//! Why nothing came from the hub, in plain words and without the token.

use std::path::PathBuf;

use thiserror::Error;

/// Why nothing came. Whoever asked says which folder can be filled by hand.
#[derive(Debug, Error)]
pub enum HubError {
    /// No network, no such host, or nobody answers.
    #[error("{endpoint} cannot be reached ({cause})")]
    Unreachable {
        /// The hub.
        endpoint: String,
        /// What the system says.
        cause: String,
    },
    /// `HF_HUB_OFFLINE` is set and the cache lacks the file.
    #[error("HF_HUB_OFFLINE is set, and {file} of {repo} is not in the cache {cache}", cache = .cache.display())]
    Offline {
        /// The repository.
        repo: String,
        /// The file, or what was looked for.
        file: String,
        /// The cache.
        cache: PathBuf,
    },
    /// The hub knows no such repository or file.
    #[error("{endpoint} has no {file} in {repo}; check the name")]
    Missing {
        /// The hub.
        endpoint: String,
        /// The repository.
        repo: String,
        /// The file.
        file: String,
    },
    /// The hub wants a token, or one with more rights.
    #[error("{endpoint} refuses {repo}{}; accept its licence there if it asks for one, and set HF_TOKEN to a token that may read it", if *.token { " to this token" } else { "" })]
    Refused {
        /// The hub.
        endpoint: String,
        /// The repository.
        repo: String,
        /// A token was sent.
        token: bool,
    },
    /// What arrived is not what was announced.
    #[error("{file} of {repo} arrived damaged ({what}); it was thrown away, try again")]
    Damaged {
        /// The repository.
        repo: String,
        /// The file.
        file: String,
        /// In which way.
        what: String,
    },
    /// A name that is none.
    #[error("`{name}` is no name of a repository; it looks like `owner/name`, or `owner/name@revision`")]
    Name {
        /// As it was given.
        name: String,
    },
    /// The answer of the hub, or the disk, is not as expected.
    #[error("{repo} could not be fetched from {endpoint}: {cause}")]
    Failed {
        /// The hub.
        endpoint: String,
        /// The repository.
        repo: String,
        /// What went wrong.
        cause: String,
    },
}
