//! `security` as parameters that must be there (OpenAPI 3.1 section 4.8.30).
//!
//! Presence only: whom credentials belong to is the service's to know. What is asked of everybody is what all the
//! alternatives have in common.

use std::collections::BTreeSet;

use super::declared::Place;
use super::importer::Importer;
use super::legal::is_name;
use super::node::Node;
use super::parameter::Parameters;

type Credentials = BTreeSet<(Place, String)>;

impl<'d> Importer<'d> {
    /// Asks for the credentials of an operation.
    pub(super) fn security(&mut self, operation: &Node<'d>, parameters: &mut Parameters) {
        let Some(alternatives) = operation
            .get("security")
            .or_else(|| self.root.get("security"))
        else {
            return;
        };
        let list: Vec<Node<'d>> = alternatives.items().collect();
        let is_optional = list.iter().any(|one| one.children().next().is_none());
        if list.is_empty() || is_optional {
            return;
        }
        if !self.options.require_security {
            let help = "`--require-security` asks for them";
            self.note(
                "/components/securitySchemes",
                "credentials are not asked for",
                Some(help),
            );
            return;
        }
        let mut common: Option<Credentials> = None;
        for one in &list {
            let asked = self.credentials(one);
            common = Some(match common {
                Some(before) => before.intersection(&asked).cloned().collect(),
                None => asked,
            });
        }
        let common = common.unwrap_or_default();
        if common.is_empty() {
            let message = "credentials are not asked for: the alternatives have none in common";
            self.gap(&alternatives.pointer, message, None);
        }
        for (place, name) in common {
            parameters.require(place, &name);
        }
    }

    /// Where one alternative has its credentials.
    fn credentials(&mut self, alternative: &Node<'d>) -> Credentials {
        let mut credentials = Credentials::new();
        for (name, asked) in alternative.children() {
            let schemes = self
                .root
                .get("components")
                .and_then(|c| c.get("securitySchemes"));
            let scheme = schemes.and_then(|schemes| schemes.get(name));
            let Some(scheme) = scheme.and_then(|scheme| self.resolved(scheme)) else {
                self.gap(
                    &asked.pointer,
                    format!("no security scheme is named `{name}`"),
                    None,
                );
                continue;
            };
            let place = scheme
                .text_of("in")
                .and_then(Place::of)
                .filter(|place| *place != Place::Path);
            match (scheme.text_of("type"), place, scheme.text_of("name")) {
                // All of these send the token or the password in one header.
                (Some("http" | "oauth2" | "openIdConnect"), ..) => {
                    credentials.insert((Place::Header, "authorization".to_owned()));
                }
                (Some("apiKey"), Some(place), Some(name)) if is_name(place, name) => {
                    credentials.insert((place, name.to_owned()));
                }
                _ => {
                    let message = format!("what `{name}` asks for stands in no parameter");
                    self.gap(&scheme.pointer, message, None);
                }
            }
        }
        credentials
    }
}
