//! Where calls go. A key travels over https, or stays on this machine.

use reqwest::Url;
use reqwest::header::{HeaderValue, LOCATION};

/// The address of an API's chat endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    endpoint: Url,
    local: bool,
}

impl Address {
    /// Reads a base URL, as in `http://localhost:8000/v1`, with or without `/chat/completions` at its end.
    ///
    /// # Errors
    /// One line that names the setting and never repeats a part that may be a secret.
    pub fn parse(base: &str, allow_http: bool) -> Result<Self, String> {
        let mut endpoint = Url::parse(base.trim()).map_err(|e| {
            format!("teacher.base_url is no address ({e}); write it as in \"http://localhost:8000/v1\"")
        })?;
        if !endpoint.username().is_empty() || endpoint.password().is_some() {
            return Err("teacher.base_url has a user name or password; name the variable of the key in \
                        teacher.api_key_env instead"
                .into());
        }
        if endpoint.query().is_some() || endpoint.fragment().is_some() {
            return Err("teacher.base_url has a query or fragment; leave it out".into());
        }
        let Some(host) = endpoint.host_str().map(str::to_owned) else {
            return Err("teacher.base_url names no host".into());
        };
        let local = is_local(&host);
        match endpoint.scheme() {
            "https" => {}
            "http" if local || allow_http => {}
            "http" => {
                return Err(format!(
                    "teacher.base_url is plain http to {host}, where others could read the key and the answers; use \
                     https, or set teacher.allow_http = true"
                ));
            }
            other => return Err(format!("teacher.base_url begins with {other}:; it must be https: or http:")),
        }
        let path = endpoint.path().trim_end_matches('/').to_owned();
        let path = path.strip_suffix("/chat/completions").unwrap_or(&path);
        endpoint.set_path(&format!("{path}/chat/completions"));
        Ok(Self { endpoint, local })
    }

    /// The endpoint.
    pub fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    /// Whether it is on this machine.
    pub fn is_local(&self) -> bool {
        self.local
    }

    /// Whether it is https.
    pub fn is_secret(&self) -> bool {
        self.endpoint.scheme() == "https"
    }

    /// The endpoint for people; nothing secret is in it.
    pub fn shown(&self) -> String {
        shown(&self.endpoint)
    }

    /// Where a redirect leads, for people; its query is left out.
    pub fn redirect(&self, headers: &reqwest::header::HeaderMap) -> Option<String> {
        let to = headers.get(LOCATION).map(HeaderValue::to_str)?.ok()?;
        self.endpoint.join(to).ok().map(|url| shown(&url))
    }
}

/// An address without user name, password, query and fragment.
fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{host}{port}{}", url.scheme(), url.path())
}

fn is_local(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_is_found_however_the_base_is_written() {
        for (base, endpoint) in [
            ("http://localhost:8000/v1", "http://localhost:8000/v1/chat/completions"),
            ("http://127.0.0.1:11434/v1/", "http://127.0.0.1:11434/v1/chat/completions"),
            ("http://[::1]:8080", "http://[::1]:8080/chat/completions"),
            (" https://api.example.com/v1/chat/completions ", "https://api.example.com/v1/chat/completions"),
        ] {
            let address = Address::parse(base, false).unwrap();
            assert_eq!((address.shown().as_str(), address.endpoint().as_str()), (endpoint, endpoint));
        }
    }

    #[test]
    fn plain_http_stays_on_this_machine_unless_allowed() {
        for far in ["http://example.com/v1", "http://10.0.0.7/v1", "http://localhost.example.com", "http://0.0.0.0/v1"]
        {
            assert!(Address::parse(far, false).unwrap_err().contains("teacher.allow_http"), "{far}");
            assert!(!Address::parse(far, true).unwrap().is_local());
        }
        assert!(Address::parse("https://example.com/v1", false).unwrap().is_secret());
    }

    #[test]
    fn what_may_be_secret_is_refused_and_not_repeated() {
        for base in [
            "https://me:hush@example.com/v1",
            "https://example.com/v1?key=hush",
            "https://a/#hush",
            "hush",
            "ftp://hush@a/",
        ] {
            let error = Address::parse(base, true).unwrap_err();
            assert!(error.starts_with("teacher.base_url") && !error.contains("hush"), "{error}");
        }
    }
}
