//! `successor`: a node that does not run gets another log, and its root key says so.

use std::path::{Path, PathBuf};

use clap::Args;
use node::ports::Clock;
use serde_json::json as object_of;

use super::Failure;
use super::failure::refused;
use super::print::{json, line};
use crate::keys::Layout;
use crate::successor::{self, Wanted};

/// `successor`.
#[derive(Debug, Args)]
pub struct SuccessorArgs {
    /// The root key's file, brought to this machine for this and taken offline again
    #[arg(long, value_name = "FILE")]
    root_key: PathBuf,
    /// Stand by this many entries of the old log; without it by all that are here
    #[arg(long, value_name = "N")]
    at: Option<u64>,
    /// Although the log can still be extended
    #[arg(long)]
    although_it_speaks: bool,
}

pub(super) fn successor(dir: &Path, args: &SuccessorArgs, clock: &dyn Clock, as_json: bool) -> Result<(), Failure> {
    let wanted = Wanted { root_key: &args.root_key, at: args.at, although_it_speaks: args.although_it_speaks };
    let made = successor::make(&Layout::new(dir), &wanted, clock).map_err(refused)?;
    if as_json {
        return json(&object_of!({
            "old": made.old.to_string(), "new": made.new.to_string(), "vouched": made.vouched, "words": made.words,
        }));
    }
    line(&format!("{} goes on as {}", made.old, made.new))?;
    line(&format!("we stand by {} entries of the old log, which is never extended again", made.vouched))?;
    line(&format!("words  {}", made.words))?;
    line("Take the root key offline again. Start the node, then telephone every partner and read the words to it.")?;
    line("Each confirms with `entraide partner confirm-successor`, and takes nothing of the new log before.")
}
