//! `portcullis schema`: the JSON Schema of the policy file, for editors.

use clap::Args;
use portcullis_config::POLICY_SCHEMA;

use super::Exit;

/// The JSON Schema of the policy file: completion, help and mistakes underlined while you type
#[derive(Debug, Args)]
#[command(after_help = "\
Editors with yaml-language-server (VS Code with the YAML extension, Neovim, Helix, Zed, Emacs) take it from a line in the policy:

  $ portcullis schema > policy.schema.json
  $ head -n 1 policy.yaml
  # yaml-language-server: $schema=policy.schema.json

In JSON the policy itself may say so: {\"$schema\": \"policy.schema.json\", \"version\": 1}")]
pub(crate) struct Schema {}

impl Schema {
    pub(crate) fn run(self) -> Exit {
        anstream::print!("{POLICY_SCHEMA}");
        Exit::Ok
    }
}
