//! Tests of the whole: the standard's own suite, another library as an oracle, and tables of what is said.

mod bounds;
mod bundle;
mod differential;
mod generate;
mod mistakes;
mod patterns;
mod said;
mod suite;

use portcullis_config::{Diagnostic, Diagnostics, Document};
use serde_json::Value;

use super::super::violation::{Place, Violation, Violations};
use super::{Formats, Rc, Schema, Schemas};

/// Compiles one schema as a policy's body has it.
fn compiled(schema: &Value, formats: Formats) -> Result<Rc<dyn Schema>, Vec<Diagnostic>> {
    let mut diagnostics = Diagnostics::default();
    let mut schemas = Schemas::new(None, formats, &mut diagnostics);
    let document: Document = serde_json::from_value(schema.clone()).unwrap();
    let compiled = schemas.compile(&document, "/schema", &mut diagnostics);
    assert_eq!(compiled.is_none(), diagnostics.has_errors(), "{schema}");
    compiled.ok_or_else(|| diagnostics.into_list())
}

fn violations(schema: &dyn Schema, value: &Value) -> Vec<Violation> {
    let mut found = Violations::default();
    schema.judge(value, Place::Body, &[], &mut found);
    found.as_slice().to_vec()
}
