//! The one place that talks to the Hugging Face hub: files of models and data sets into the hub's own cache, with
//! progress, resume and a check of what arrived.
//!
//! A token is only sent where the hub refuses without one, and never stands in a message. What the hub and its files are
//! called comes from outside, so names are checked before they become paths.

use std::net::{TcpStream, ToSocketAddrs};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use hf_hub::api::sync::{Api, ApiBuilder, ApiError, ApiRepo};
use hf_hub::{Cache, Repo, RepoType};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

mod error;

pub use error::HubError;

/// Where the hub is when `HF_ENDPOINT` doesn't say otherwise.
pub const ENDPOINT: &str = "https://huggingface.co";
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(15);
/// Times a transfer that broke off is taken up again.
const RETRIES: usize = 3;

/// A hub, a cache and perhaps a token.
#[derive(Clone, Debug)]
pub struct Hub {
    /// Address without a slash at its end.
    pub endpoint: String,
    /// The folder of the cache, in the layout all of the hub's programs share.
    pub cache: PathBuf,
    /// Shown as `[REDACTED]` wherever it is printed.
    pub token: Option<SecretString>,
    /// Answer from the cache alone.
    pub offline: bool,
}

/// What a repository holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A model.
    Model,
    /// A data set.
    Dataset,
}

/// Which files.
#[derive(Clone, Copy)]
pub enum Wanted<'a> {
    /// These, all of them.
    Files(&'a [&'a str]),
    /// Those of the repository that this accepts, at least one.
    Matching(&'a dyn Fn(&str) -> bool),
}

/// How far a file has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// Its name in the repository.
    pub file: &'a str,
    /// Bytes that are there.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
}

impl Hub {
    /// As the environment says: `HF_ENDPOINT`, `HF_HOME`, `HF_TOKEN` (or the token file there), `HF_HUB_OFFLINE`.
    pub fn from_env() -> Self {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        let cache = set("HF_HUB_CACHE").map_or_else(Cache::from_env, |folder| Cache::new(folder.into()));
        let token = set("HF_TOKEN").or_else(|| cache.token()).map(|token| SecretString::from(token.trim().to_owned()));
        let endpoint = set("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.to_owned());
        let offline = set("HF_HUB_OFFLINE").is_some_and(|value| !matches!(value.as_str(), "0" | "false" | "no"));
        Self { cache: cache.path().clone(), token, offline, ..Self::at(&endpoint, Path::new("")) }
    }

    /// A hub at another address, with a cache of its own and no token.
    pub fn at(endpoint: &str, cache: &Path) -> Self {
        Self {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            cache: cache.to_owned(),
            token: None,
            offline: false,
        }
    }

    /// The address without a password that may stand in it.
    fn shown(&self) -> String {
        match (self.endpoint.split_once("://"), self.endpoint.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
            _ => self.endpoint.clone(),
        }
    }

    fn api(&self, token: Option<&SecretString>) -> Result<Api, ApiError> {
        ApiBuilder::from_cache(Cache::new(self.cache.clone()))
            .with_endpoint(self.endpoint.clone())
            .with_token(token.map(|token| token.expose_secret().to_owned()))
            .with_progress(false)
            .with_retries(RETRIES)
            .build()
    }

    /// A connection within [`CONNECT`], since the client itself would wait for minutes. Not tried behind a proxy.
    fn reach(&self) -> Result<(), HubError> {
        let proxies = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
        if proxies.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty())) {
            return Ok(());
        }
        let unreachable = |cause: String| HubError::Unreachable { endpoint: self.shown(), cause };
        let (scheme, rest) = self.endpoint.split_once("://").ok_or_else(|| unreachable("not an address".into()))?;
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        let host = host.rsplit('@').next().unwrap_or_default();
        let port = if scheme == "http" { 80 } else { 443 };
        let with_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let host = if with_port { host.to_owned() } else { format!("{host}:{port}") };
        let addresses = host.to_socket_addrs().map_err(|error| unreachable(error.to_string()))?;
        let mut cause = "the name has no address".to_owned();
        for address in addresses {
            match TcpStream::connect_timeout(&address, CONNECT) {
                Ok(_) => return Ok(()),
                Err(error) => cause = error.to_string(),
            }
        }
        Err(unreachable(cause))
    }
}

/// Brings files of a repository (`owner/name`, or `owner/name@revision`) into the cache and gives their paths there, in
/// the order asked for. Files that are there already are not asked for again.
///
/// # Errors
/// Why they could not be had; see [`HubError`].
pub fn fetch(
    hub: &Hub,
    repo: &str,
    kind: Kind,
    wanted: Wanted<'_>,
    progress: &mut dyn FnMut(Step<'_>),
) -> Result<Vec<PathBuf>, HubError> {
    let place = repository(repo, kind)?;
    if let Some(paths) = cached(hub, &place, wanted) {
        return Ok(paths);
    }
    if hub.offline {
        let file = match wanted {
            Wanted::Files(names) => names.join(", "),
            Wanted::Matching(_) => "what was asked for".into(),
        };
        return Err(HubError::Offline { repo: repo.to_owned(), file, cache: hub.cache.clone() });
    }
    hub.reach()?;
    match attempt(hub, None, repo, &place, wanted, progress) {
        Err(HubError::Refused { .. } | HubError::Missing { .. }) if hub.token.is_some() => {
            // A private repository is missing to those without a token.
            attempt(hub, hub.token.as_ref(), repo, &place, wanted, progress)
        }
        done => done,
    }
}

/// The repository of this name.
fn repository(name: &str, kind: Kind) -> Result<Repo, HubError> {
    let wrong = || HubError::Name { name: name.chars().filter(|c| !c.is_control()).take(80).collect() };
    let (id, revision) = name.split_once('@').unwrap_or((name, "main"));
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.len() <= 96
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    };
    let parts: Vec<&str> = id.split('/').collect();
    if parts.len() > 2 || !parts.iter().all(|part| plain(part)) || !revision.split('/').all(plain) {
        return Err(wrong());
    }
    let kind = if kind == Kind::Model { RepoType::Model } else { RepoType::Dataset };
    Ok(Repo::with_revision(id.to_owned(), kind, revision.to_owned()))
}

/// A relative path without tricks.
fn harmless(file: &str) -> bool {
    let part =
        |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', ':', '?', '#', '%']);
    file.split('/').all(part) && !file.chars().any(|c| c.is_control() || c.is_whitespace())
}

/// The files, where named ones are all in the cache.
fn cached(hub: &Hub, place: &Repo, wanted: Wanted<'_>) -> Option<Vec<PathBuf>> {
    let Wanted::Files(names) = wanted else { return None };
    let cache = Cache::new(hub.cache.clone()).repo(place.clone());
    names.iter().map(|name| if harmless(name) { cache.get(name) } else { None }).collect()
}

fn attempt(
    hub: &Hub,
    token: Option<&SecretString>,
    repo: &str,
    place: &Repo,
    wanted: Wanted<'_>,
    progress: &mut dyn FnMut(Step<'_>),
) -> Result<Vec<PathBuf>, HubError> {
    let session = Session { hub, token, repo, place };
    let api = session.guarded("its address", || hub.api(token))?;
    let remote = api.repo(place.clone());
    let names: Vec<String> = match wanted {
        Wanted::Files(names) => names.iter().map(ToString::to_string).collect(),
        Wanted::Matching(accepts) => {
            let info = session.guarded("its list of files", || remote.info())?;
            let mut names: Vec<String> = info.siblings.into_iter().map(|file| file.rfilename).collect();
            names.retain(|name| harmless(name) && accepts(name));
            names
        }
    };
    if names.is_empty() {
        let file = "file of the kind that is looked for".into();
        return Err(HubError::Missing { endpoint: hub.shown(), repo: repo.to_owned(), file });
    }
    let cache = Cache::new(hub.cache.clone()).repo(place.clone());
    let fetched = names.iter().map(|name| match cache.get(name) {
        Some(path) => Ok(path),
        None => session.download(&api, &remote, name, progress),
    });
    fetched.collect()
}

/// One try at one repository.
struct Session<'a> {
    hub: &'a Hub,
    token: Option<&'a SecretString>,
    repo: &'a str,
    place: &'a Repo,
}

impl Session<'_> {
    fn download(
        &self,
        api: &Api,
        remote: &ApiRepo,
        name: &str,
        progress: &mut dyn FnMut(Step<'_>),
    ) -> Result<PathBuf, HubError> {
        if !harmless(name) {
            return Err(self.failed(format!("`{}` is no name of a file", name.escape_debug())));
        }
        let announced = self.guarded(name, || api.metadata(&remote.url(name)))?;
        if !harmless(announced.etag()) || !harmless(announced.commit_hash()) {
            return Err(self.failed(format!("the answer for {name} makes no sense")));
        }
        self.drop_spent_part(announced.etag(), announced.size() as u64);
        let watch = Watch { file: name, done: 0, total: 0, tell: progress };
        let path = self.guarded(name, || remote.download_with_progress(name, watch))?;
        match fault(&path, announced.size() as u64, announced.etag()) {
            None => Ok(path),
            Some(what) => {
                // The name in the cache is a link to the bytes; both go.
                if let Ok(bytes) = path.canonicalize() {
                    drop(std::fs::remove_file(bytes));
                }
                drop(std::fs::remove_file(&path));
                Err(HubError::Damaged { repo: self.repo.to_owned(), file: name.to_owned(), what })
            }
        }
    }

    /// Removes what an earlier try left where nothing can be added to it: it is whole, or longer than it should be.
    fn drop_spent_part(&self, etag: &str, size: u64) {
        if harmless(etag) && !etag.contains('/') {
            let blobs = self.hub.cache.join(self.place.folder_name()).join("blobs");
            let mut part = blobs.join(etag);
            part.set_extension("part");
            if std::fs::metadata(&part).is_ok_and(|about| about.len() >= size) {
                drop(std::fs::remove_file(&part));
            }
        }
    }

    /// Calls the client; its errors and its panics (it has some, on answers that lack a header) become ours.
    fn guarded<T>(&self, file: &str, call: impl FnOnce() -> Result<T, ApiError>) -> Result<T, HubError> {
        match catch_unwind(AssertUnwindSafe(call)) {
            Ok(done) => done.map_err(|error| self.plainly(file, &error)),
            Err(_) => Err(self.failed(format!("the answer for {file} makes no sense"))),
        }
    }

    fn plainly(&self, file: &str, error: &ApiError) -> HubError {
        let text = error.to_string();
        let status = status(error);
        match status {
            Some(401 | 403) => HubError::Refused {
                endpoint: self.hub.shown(),
                repo: self.repo.to_owned(),
                token: self.token.is_some(),
            },
            Some(404) => {
                HubError::Missing { endpoint: self.hub.shown(), repo: self.repo.to_owned(), file: file.to_owned() }
            }
            _ if text.starts_with("Too many retries") => {
                self.failed(format!("{file}: {text}; what arrived is kept, and the same command goes on from there"))
            }
            _ => self.failed(format!("{file}: {text}")),
        }
    }

    /// Says it on one line and without the token, whoever put it there.
    fn failed(&self, cause: String) -> HubError {
        let cause = match &self.hub.token {
            Some(token) if !token.expose_secret().is_empty() => cause.replace(token.expose_secret(), "…"),
            _ => cause,
        };
        let cause = cause.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
        HubError::Failed { endpoint: self.hub.shown(), repo: self.repo.to_owned(), cause }
    }
}

/// The HTTP status in an error, by its wording: the client's own error type is not ours to name.
fn status(error: &ApiError) -> Option<u16> {
    let text = error.to_string();
    let digits = text.rsplit("status: ").next().filter(|_| text.contains("status: "))?;
    digits.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

/// What is wrong with a file that arrived: its length, or its SHA-256 where the hub names it by that.
fn fault(path: &Path, size: u64, etag: &str) -> Option<String> {
    let length = match std::fs::metadata(path) {
        Ok(about) => about.len(),
        Err(error) => return Some(error.to_string()),
    };
    if length != size {
        return Some(format!("{length} bytes instead of {size}"));
    }
    if etag.len() == 64 && etag.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let mut digest = Sha256::new();
        let copied = std::fs::File::open(path).and_then(|mut file| std::io::copy(&mut file, &mut digest));
        if let Err(error) = copied {
            return Some(error.to_string());
        }
        if hex::encode(digest.finalize()) != etag.to_ascii_lowercase() {
            return Some("its hash is another one".into());
        }
    }
    None
}

/// Tells the client's progress on.
struct Watch<'a, 'p> {
    file: &'a str,
    done: u64,
    total: u64,
    tell: &'a mut (dyn FnMut(Step<'_>) + 'p),
}

impl hf_hub::api::Progress for Watch<'_, '_> {
    fn init(&mut self, size: usize, _: &str) {
        (self.done, self.total) = (0, size as u64);
    }

    fn update(&mut self, size: usize) {
        self.done += size as u64;
        (self.tell)(Step { file: self.file, done: self.done, total: self.total });
    }

    fn finish(&mut self) {}
}
