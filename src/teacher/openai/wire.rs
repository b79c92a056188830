//! One exchange with the server: bytes out, a bounded number of bytes in, within bounded time.
//!
//! No redirect is followed: the key goes to the address of the recipe and nowhere else. Whatever comes back is searched for
//! the key before anybody sees it, because some servers repeat it in their errors.

use std::error::Error as _;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, redirect};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout, timeout_at};

use super::address::Address;
use super::body::{self, Said};
use super::fault::{Fault, Next, of_status, shown};
use super::settings::Settings;
use crate::teacher::TeacherError;

/// Longest answer in bytes.
pub const LONGEST: usize = 1 << 20;
/// Longest error body that is read.
const LONGEST_ERROR: usize = 16 << 10;
/// The whole exchange may take so many times the timeout.
const PATIENCE: u32 = 5;
/// Stands where the key stood.
const HIDDEN: &str = "[key]";
/// Shorter keys are not looked for in answers: they are placeholders, and may well be words.
const SHORTEST_KEY: usize = 8;

/// The way to one server.
pub struct Wire {
    client: Client,
    address: Address,
    authorization: Option<HeaderValue>,
    key: Option<SecretString>,
    timeout: Duration,
}

impl Wire {
    /// Makes the client; nothing is sent.
    ///
    /// # Errors
    /// [`TeacherError::Unusable`]: an address or a key that cannot be used, no certificates on this machine.
    pub fn new(settings: &Settings) -> Result<Self, TeacherError> {
        let unusable = TeacherError::Unusable;
        let address = Address::parse(&settings.base_url, settings.allow_http).map_err(unusable)?;
        let authorization = settings.key.as_ref().map(|key| bearer(key, &settings.key_env)).transpose()?;
        // Fails where one is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(concat!("footbridge/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(settings.timeout.min(Duration::from_secs(15)))
            .pool_max_idle_per_host(settings.concurrency)
            .pool_idle_timeout(Duration::from_secs(30));
        if address.is_local() {
            builder = builder.no_proxy();
        }
        if !address.is_secret() {
            // No certificate will be looked at, and none need be on this machine.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|e| {
            unusable(format!("the network client cannot be set up: {}; are certificates installed?", cause(&e)))
        })?;
        Ok(Self { client, address, authorization, key: settings.key.clone(), timeout: settings.timeout })
    }

    /// Where calls go, for people.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Sends a body and reads the answer. `asked` reads a `Retry-After`.
    ///
    /// # Errors
    /// Whatever is not a usable answer.
    pub async fn exchange(&self, body: Bytes, asked: impl Fn(&str) -> Option<Duration>) -> Result<Said, Fault> {
        let outcome = self.try_exchange(body, asked).await;
        match outcome {
            Ok(said) => Ok(Said { text: self.without_key(said.text), ..said }),
            Err(fault) => Err(Fault { what: self.without_key(fault.what), ..fault }),
        }
    }

    async fn try_exchange(&self, body: Bytes, asked: impl Fn(&str) -> Option<Duration>) -> Result<Said, Fault> {
        let deadline = Instant::now() + self.timeout.saturating_mul(PATIENCE);
        let mut request = self.client.post(self.address.endpoint().clone()).body(body);
        request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let response = match timeout(self.timeout, request.send()).await {
            Err(_) => return Err(Fault::broken_off(format!("no answer began within {}", seconds(self.timeout)))),
            Ok(Err(error)) => return Err(self.unsent(&error)),
            Ok(Ok(response)) => response,
        };
        let status = response.status();
        if status.is_redirection() {
            return Err(self.redirected(response.headers()));
        }
        if !status.is_success() {
            let wait = response.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok()).and_then(asked);
            let said = self.read(response, LONGEST_ERROR, deadline).await.unwrap_or_else(|(said, _)| said);
            return Err(of_status(status.as_u16(), &self.bytes_without_key(said), wait));
        }
        match self.read(response, LONGEST, deadline).await {
            Ok(said) => body::answer(&self.bytes_without_key(said)),
            Err((_, fault)) => Err(fault),
        }
    }

    /// Reads at most `longest` bytes; with a fault comes what was read before it.
    async fn read(&self, mut response: Response, longest: usize, end: Instant) -> Result<Vec<u8>, (Vec<u8>, Fault)> {
        let mut said = Vec::new();
        let large = |said| {
            let what = format!("the answer is larger than {} KB and was cut off", longest >> 10);
            Err((said, Fault { unsaid: true, ..Fault::new(Next::Lost, what) }))
        };
        if response.content_length().is_some_and(|length| length > longest as u64) {
            return large(said);
        }
        loop {
            let by = end.min(Instant::now() + self.timeout);
            match timeout_at(by, response.chunk()).await {
                Err(_) => {
                    let what = format!("the answer stood still for {}, or was too slow in all", seconds(self.timeout));
                    return Err((said, Fault::broken_off(what)));
                }
                Ok(Err(error)) => {
                    return Err((said, Fault::broken_off(format!("the answer broke off: {}", cause(&error)))));
                }
                Ok(Ok(None)) => return Ok(said),
                Ok(Ok(Some(part))) if said.len() + part.len() > longest => return large(said),
                Ok(Ok(Some(part))) => said.extend_from_slice(&part),
            }
        }
    }

    fn unsent(&self, error: &reqwest::Error) -> Fault {
        let cause = cause(error);
        if error.is_connect() {
            return Fault::new(Next::Unreached, format!("nobody answers at {}: {cause}", self.address.shown()));
        }
        Fault::broken_off(format!("the connection broke off: {cause}"))
    }

    fn redirected(&self, headers: &HeaderMap) -> Fault {
        let to = self.address.redirect(headers).map(|to| shown(&to)).unwrap_or_else(|| "elsewhere".into());
        let what = format!("the server redirects to {to}; the key is not carried there: set teacher.base_url to it");
        Fault::new(Next::Stop, what)
    }

    fn key(&self) -> Option<&str> {
        self.key.as_ref().map(|key| key.expose_secret()).filter(|key| key.len() >= SHORTEST_KEY)
    }

    fn without_key(&self, text: String) -> String {
        match self.key() {
            Some(key) if text.contains(key) => text.replace(key, HIDDEN),
            _ => text,
        }
    }

    /// Before anything is cut: half a key is half a secret.
    fn bytes_without_key(&self, said: Vec<u8>) -> Vec<u8> {
        let Some(key) = self.key().map(str::as_bytes) else { return said };
        if !said.windows(key.len()).any(|part| part == key) {
            return said;
        }
        self.without_key(String::from_utf8_lossy(&said).into_owned()).into_bytes()
    }
}

fn bearer(key: &SecretString, variable: &str) -> Result<HeaderValue, TeacherError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret())).map_err(|_| {
        TeacherError::Unusable(format!("the environment variable {variable} holds characters that no key has"))
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// The innermost reason; the outer ones repeat the address.
fn cause(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(next) = inner.source() {
        inner = next;
    }
    match error.source() {
        Some(_) => shown(&inner.to_string()),
        None => "no reason given".into(),
    }
}

fn seconds(time: Duration) -> String {
    format!("{} s", (time.as_secs_f64() * 1e3).round() / 1e3)
}
