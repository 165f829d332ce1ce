//! Plain http: redirected where nothing is lost by it, refused where a secret has already been sent.

use portcullis_config::Https;

use super::client::Caller;
use super::exempt::Exemption;
use crate::message::RequestHead;
use crate::refusal::{self, Refusal};

/// The compiled `request.https`.
#[derive(Clone, Debug)]
pub(crate) struct HttpsRule {
    redirect: &'static Refusal,
    /// `:8443`, or nothing for 443.
    port: String,
    exempt: Exemption,
}

impl HttpsRule {
    pub(crate) fn compile(https: &Https) -> Self {
        Self {
            redirect: match https.redirect {
                301 => &refusal::HTTPS_REDIRECT_301,
                302 => &refusal::HTTPS_REDIRECT_302,
                307 => &refusal::HTTPS_REDIRECT_307,
                _ => &refusal::HTTPS_REDIRECT_308,
            },
            port: match https.port {
                443 => String::new(),
                port => format!(":{port}"),
            },
            exempt: Exemption::compile(&https.exempt),
        }
    }

    /// Judges a request, and gives the `Location` of a redirect: the same host on the port of https, path and
    /// query byte for byte. A redirect to a host that is none would go anywhere.
    pub(crate) fn refuse(
        &self,
        head: &RequestHead<'_>,
        caller: &Caller,
        host: Option<&str>,
    ) -> Option<(&'static Refusal, Option<Vec<u8>>)> {
        let exempt = caller.https
            || self.exempt.covers_path(head.path())
            || self.exempt.covers_client(caller);
        if exempt {
            return None;
        }
        match host.filter(|_| matches!(head.method(), b"GET" | b"HEAD")) {
            Some(host) => {
                let parts = [
                    b"https://",
                    host.as_bytes(),
                    self.port.as_bytes(),
                    head.path(),
                ];
                let location = parts.concat();
                Some((self.redirect, Some(location)))
            }
            None => Some((&refusal::HTTPS_REQUIRED, None)),
        }
    }
}
